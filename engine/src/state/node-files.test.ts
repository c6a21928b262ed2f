import assert from 'node:assert/strict'
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { describe, test } from 'node:test'
import type { Store } from '../plugin/store.js'
import { FakeContext } from '../testing/fake-context.js'
import { NodeFiles } from './node-files.js'
import { NodeFolders } from './node-folders.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A state folder. Each `run` is one run of an engine. */
class StateFolder implements AsyncDisposable {
  readonly path: string
  readonly context = new FakeContext()

  private constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<StateFolder> {
    return new StateFolder(await mkdtemp(join(tmpdir(), 'node-files-')))
  }

  run(): { readonly folders: NodeFolders; store(id: string, was?: string): Store } {
    const folders = new NodeFolders(this.path, this.context.log)
    const files = new NodeFiles(folders)
    return { folders, store: (id, was) => files.storeOf({ id, was }) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

async function textOf(store: Store, name = 'state'): Promise<string | undefined> {
  const read = await store.read(name)
  return read && new TextDecoder().decode(read)
}

describe('the folder of a node', () => {
  test('is its own under the state folder, and only this user can read it', async () => {
    await using state = await StateFolder.make()
    const folder = await state.run().store('one/mid').folder()
    assert.equal(folder, join(state.path, 'nodes', 'one', 'mid'))
    for (const path of ['nodes', 'nodes/one', 'nodes/one/mid']) {
      assert.equal((await stat(join(state.path, path))).mode & 0o777, 0o700, path)
    }
  })

  test('keeps its files over a restart', async () => {
    await using state = await StateFolder.make()
    await state.run().store('one/mid').write('state', bytes('kept'))
    assert.equal(await textOf(state.run().store('one/mid')), 'kept')
    assert.equal(await textOf(state.run().store('one/other')), undefined)
  })

  test('keeps its path when the node is renamed, also over a restart; a new node of the old name has another', async () => {
    await using state = await StateFolder.make()
    const { folders, store } = state.run()
    const folder = await store('one/old').folder()
    folders.rename({}, 'one/old', 'one/new')
    assert.equal(await store('one/new').folder(), folder)
    assert.notEqual(await store('one/old').folder(), folder)
    assert.equal(await state.run().store('one/new').folder(), folder)
    assert.notEqual(await state.run().store('one/old').folder(), folder)
  })

  test('follows nodes that exchange their names', async () => {
    await using state = await StateFolder.make()
    const { folders, store } = state.run()
    const [a, b] = [await store('one/a').folder(), await store('one/b').folder()]
    folders.rename({}, 'one/a', 'one/b')
    folders.rename({}, 'one/b', 'one/a')
    assert.deepEqual([await store('one/a').folder(), await store('one/b').folder()], [b, a])
  })

  test('stays where it is if a rename is undone in the same turn', async () => {
    await using state = await StateFolder.make()
    const { folders, store } = state.run()
    const folder = await store('one/a').folder()
    const node = {}
    folders.rename(node, 'one/a', 'one/b')
    folders.rename(node, 'one/b', 'one/a')
    assert.equal(await store('one/a').folder(), folder)
  })

  test('is found under its former name by an engine that starts with the new one', async () => {
    await using state = await StateFolder.make()
    await state.run().store('one/old').write('state', bytes('kept'))
    assert.equal(await textOf(state.run().store('one/new', 'one/old')), 'kept')
    assert.equal(await textOf(state.run().store('one/new')), 'kept')
  })

  for (const link of ['nodes', 'nodes/one', 'nodes/one/mid']) {
    test(`is refused if ${link} is a link to another place`, async () => {
      await using state = await StateFolder.make()
      await using elsewhere = await StateFolder.make()
      await mkdir(join(state.path, link, '..'), { recursive: true })
      await symlink(elsewhere.path, join(state.path, link))
      await assert.rejects(state.run().store('one/mid').write('state', bytes('x')), { code: 'STORE_FAILED' })
      assert.deepEqual(await readdir(elsewhere.path), [])
    })
  }
})

describe('a file of a node', () => {
  test('is undefined before it is written', async () => {
    await using state = await StateFolder.make()
    assert.equal(await state.run().store('one/mid').read('state'), undefined)
  })

  test('has the content of the last write, and leaves no temporary file', async () => {
    await using state = await StateFolder.make()
    const { store } = state.run()
    const own = store('one/mid')
    const texts = Array.from({ length: 20 }, (_, number) => `${number}`.repeat(1000 * (20 - number)))
    await Promise.all(texts.map((text) => own.write('state', bytes(text))))
    assert.equal(await textOf(own), texts.at(-1))
    assert.deepEqual(await readdir(await own.folder()), ['state'])
    assert.equal((await stat(join(await own.folder(), 'state'))).mode & 0o777, 0o600)
  })

  test('is written with the bytes of the moment of the call', async () => {
    await using state = await StateFolder.make()
    const own = state.run().store('one/mid')
    for (const content of [bytes('before'), Buffer.from('before')]) {
      const writing = own.write('state', content)
      content.fill(0)
      await writing
      assert.equal(await textOf(own), 'before')
    }
  })

  test('keeps its content if a write fails, and the next write succeeds', async () => {
    await using state = await StateFolder.make()
    const own = state.run().store('one/mid')
    await own.write('state', bytes('old'))
    // A folder in place of the temporary file: the write fails, for every user.
    const aside = join(await own.folder(), 'state~new')
    await mkdir(join(aside, 'full'), { recursive: true })
    await assert.rejects(own.write('state', bytes('new')), { code: 'STORE_FAILED', at: 'one/mid' })
    assert.equal(await textOf(own), 'old')
    await rm(aside, { recursive: true })
    await own.write('state', bytes('new'))
    assert.equal(await textOf(own), 'new')
  })

  test('is not read through a link', async () => {
    await using state = await StateFolder.make()
    const own = state.run().store('one/mid')
    const outside = join(state.path, 'api.token')
    await writeFile(outside, 'token')
    await symlink(outside, join(await own.folder(), 'state'))
    await assert.rejects(own.read('state'), { code: 'STORE_FAILED' })
    await own.write('state', bytes('own'))
    assert.equal(await readFile(outside, 'utf8'), 'token')
    assert.equal((await lstat(join(await own.folder(), 'state'))).isSymbolicLink(), false)
  })

  for (const name of ['', '.', '..', 'a..b', 'a/b', '/etc/passwd', 'a b', 'a~new', 'ü', 'x'.repeat(129)]) {
    test(`cannot have the name ${JSON.stringify(name).slice(0, 20)}`, async () => {
      await using state = await StateFolder.make()
      const own = state.run().store('one/mid')
      await assert.rejects(own.write(name, bytes('x')), { code: 'STORE_NAME' })
      await assert.rejects(own.read(name), { code: 'STORE_NAME' })
    })
  }
})

test('the files are settled when the last write and the last rename are on disk', async () => {
  await using state = await StateFolder.make()
  const folders = new NodeFolders(state.path, state.context.log)
  const files = new NodeFiles(folders)
  const own = files.storeOf({ id: 'one/old', was: undefined })
  const path = join(await own.folder(), 'state')
  void own.write('state', bytes('last'))
  await files.settled()
  assert.equal(await readFile(path, 'utf8'), 'last')
  folders.rename({}, 'one/old', 'one/new')
  await files.settled()
  assert.equal(await textOf(state.run().store('one/new')), 'last')
})

describe('a folder that the configuration names', () => {
  test('is made with its parents, and can be named again', async () => {
    await using state = await StateFolder.make()
    const { at } = state.run().store('one/out')
    const path = join(state.path, 'recordings', 'today')
    assert.equal(await at(path), path)
    assert.equal(await at(path), path)
    assert.ok((await stat(path)).isDirectory())
  })

  test('is refused with a reason unless it is an absolute path that can be written', async () => {
    await using state = await StateFolder.make()
    const { at } = state.run().store('one/out')
    const file = join(state.path, 'file')
    await writeFile(file, '')
    const isConfig = (message: RegExp) => (error: { code?: string; message: string; row?: { reaction: string } }) => {
      assert.deepEqual([error.code, error.row?.reaction], ['STORE_FOLDER', 'config'])
      assert.match(error.message, message)
      return true
    }
    await assert.rejects(at('recordings'), isConfig(/recordings is not an absolute path/))
    await assert.rejects(at(file), isConfig(/file is not a folder/))
    await assert.rejects(at(join(file, 'below')), isConfig(/below cannot be written/))
    const locked = join(state.path, 'locked')
    await mkdir(locked, { mode: 0o500 })
    // The superuser may write everywhere.
    if (process.getuid?.() !== 0) await assert.rejects(at(locked), isConfig(/locked cannot be written/))
    await chmod(locked, 0o700)
  })
})
