import assert from 'node:assert/strict'
import { mkdir, readdir, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { bytes, StateFolder, textOf } from './state-folder.test.kit.js'

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
    const run = state.run()
    const node = run.node('one/old')
    const folder = await node.store.folder()
    node.enter('one/new')
    assert.equal(await node.store.folder(), folder)
    assert.notEqual(await run.store('one/old').folder(), folder)
    const next = state.run()
    assert.notEqual(await next.store('one/old').folder(), folder)
    assert.equal(await next.store('one/new').folder(), folder)
  })

  test('follows nodes that exchange their names, at once or one after the other, also over a restart', async () => {
    for (const isAtOnce of [true, false]) {
      await using state = await StateFolder.make()
      const run = state.run()
      const [a, b] = [run.node('one/a'), run.node('one/b')]
      const paths = [await a.store.folder(), await b.store.folder()]
      a.enter('one/b')
      if (!isAtOnce) await run.files.settled()
      b.enter('one/a')
      assert.deepEqual([await a.store.folder(), await b.store.folder()], paths)
      await run.files.settled()
      const next = state.run()
      assert.deepEqual([await next.store('one/b').folder(), await next.store('one/a').folder()], paths)
      a.enter('one/a')
      b.enter('one/b')
      await run.files.settled()
      const last = state.run()
      assert.deepEqual([await last.store('one/a').folder(), await last.store('one/b').folder()], paths)
    }
  })

  test('follows a chain of renames that ends at the name of a removed node', async () => {
    await using state = await StateFolder.make()
    const run = state.run()
    const nodes = ['one/a', 'one/b', 'one/c'].map((id) => run.node(id))
    const paths = await Promise.all(nodes.map(({ store }) => store.folder()))
    const [a, b, removed] = nodes
    a!.enter('one/b')
    b!.enter('one/c')
    removed!.leave()
    assert.deepEqual(await Promise.all(nodes.map(({ store }) => store.folder())), paths)
    await run.files.settled()
    const next = state.run()
    assert.deepEqual([await next.store('one/b').folder(), await next.store('one/c').folder()], paths.slice(0, 2))
  })

  test('stays where it is if a rename is undone in the same turn', async () => {
    await using state = await StateFolder.make()
    const run = state.run()
    const node = run.node('one/a')
    const folder = await node.store.folder()
    node.enter('one/b')
    node.enter('one/a')
    assert.equal(await node.store.folder(), folder)
    assert.equal(await state.run().store('one/a').folder(), folder)
  })

  test('is shared by a node and the one that replaces it, in whatever order they ask', async () => {
    await using state = await StateFolder.make()
    const run = state.run()
    const before = run.node('one/a')
    const next = run.standby('one/b', undefined, before)
    const folder = await next.store.folder()
    next.enter('one/b')
    run.node('one/a')
    before.leave()
    assert.equal(await before.store.folder(), folder)
  })

  test('is not that of a running node whose name a node is prepared with, nor recorded before that one is in the graph', async () => {
    await using state = await StateFolder.make()
    const run = state.run()
    const old = run.node('one/a')
    const added = run.standby('one/a')
    await added.store.write('state', bytes('added'))
    await old.store.write('state', bytes('old'))
    await run.files.settled()
    assert.equal(await textOf(state.run().store('one/a')), 'old')
    old.enter('one/b')
    added.enter('one/a')
    await run.files.settled()
    const next = state.run()
    assert.equal(await textOf(next.store('one/a')), 'added')
    assert.equal(await textOf(next.store('one/b')), 'old')
  })

  test('of a removed node is that of the next node with its name, while it delivers what it holds', async () => {
    await using state = await StateFolder.make()
    const run = state.run()
    const removed = run.node('one/a')
    await removed.store.write('state', bytes('kept'))
    removed.leave()
    assert.equal(await textOf(run.store('one/a')), 'kept')
  })

  test('of a node that was prepared in vain is that of the next attempt, also while something is still written', async () => {
    await using state = await StateFolder.make()
    const run = state.run()
    const first = run.standby('one/a')
    const writing = first.store.write('state', bytes('first'))
    first.end()
    const next = run.standby('one/a')
    assert.equal(await next.store.folder(), join(state.path, 'nodes', 'one', 'a'))
    await writing
    assert.equal(await textOf(next.store), 'first')
  })

  test('of a node that has ended is free for another with its name, after its last write', async () => {
    await using state = await StateFolder.make()
    const run = state.run()
    const removed = run.node('one/a')
    const writing = removed.store.write('state', bytes('last'))
    removed.end()
    const next = run.standby('one/a')
    const path = await next.store.folder()
    await writing
    assert.equal(await textOf(next.store), 'last')
    assert.equal(path, join(state.path, 'nodes', 'one', 'a'))
  })

  test('is found under its former name by an engine that starts with the new one', async () => {
    await using state = await StateFolder.make()
    await state.run().store('one/old').write('state', bytes('kept'))
    assert.equal(await textOf(state.run().store('one/new', 'one/old')), 'kept')
    assert.equal(await textOf(state.run().store('one/new')), 'kept')
  })

  test('of another node is not taken over by the one that had its name in an earlier run', async () => {
    await using state = await StateFolder.make()
    await state.run().store('one/a').write('state', bytes('a'))
    const run = state.run()
    const renamed = run.node('one/b', 'one/a')
    assert.equal(await textOf(run.store('one/a')), 'a')
    assert.equal(await textOf(renamed.store), undefined)
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
