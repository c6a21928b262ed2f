import assert from 'node:assert/strict'
import { chmod, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { describe, test } from 'node:test'
import { bytes, StateFolder, textOf } from './state-folder.test.kit.js'

describe('a file of a node', () => {
  test('is undefined before it is written', async () => {
    await using state = await StateFolder.make()
    assert.equal(await state.run().store('one/mid').read('state'), undefined)
  })

  test('has the content of the last write, and leaves no temporary file', async () => {
    await using state = await StateFolder.make()
    const run = state.run()
    const own = run.store('one/mid')
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
  const run = state.run()
  const own = run.node('one/old')
  const path = join(await own.store.folder(), 'state')
  void own.store.write('state', bytes('last'))
  await run.files.settled()
  assert.equal(await readFile(path, 'utf8'), 'last')
  own.enter('one/new')
  await run.files.settled()
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
