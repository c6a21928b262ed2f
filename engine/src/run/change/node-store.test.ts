import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../listen/loopback.test.kit.js'
import type { Store } from '../../plugin/store.js'
import { ReloadHarness } from './reload.test.kit.js'
import { keeping, mid, node } from '../scripted-nodes.test.kit.js'

class StateFolder implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<StateFolder> {
    return new StateFolder(await mkdtemp(join(tmpdir(), 'node-store-')))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

/** Counts how often it has been opened, in its store. */
async function countOpenings(store: Store): Promise<number> {
  const count = Number(new TextDecoder().decode((await store.read('count')) ?? new Uint8Array())) + 1
  await store.write('count', new TextEncoder().encode(String(count)))
  return count
}

test('what a node stores is there after a swap, a rename, and a restart of the engine', async () => {
  await using state = await StateFolder.make()
  const counts: number[] = []
  const stores: Store[] = []
  const definition = keeping(async (store) => {
    stores.push(store)
    counts.push(await countOpenings(store))
  })
  {
    await using harness = await new ReloadHarness(state.path).start(mid(definition))
    using _flowing = harness.flow()
    await harness.reload(mid(definition, { swap: 'b' }))
    assert.deepEqual(counts, [1, 2])
    const renamed = node('one/renamed', definition, { from: 'one/main', swap: 'b', was: 'one/mid' })
    await harness.reload(renamed)
    assert.equal(counts.length, 2)
    assert.equal(await countOpenings(stores.at(-1)!), 3)
    const swapped = node('one/again', definition, { from: 'one/main', swap: 'c', was: 'one/renamed' })
    await harness.reload(swapped)
    assert.deepEqual(counts, [1, 2, 4])
  }
  await using harness = await new ReloadHarness(state.path).start(
    node('one/again', definition, { from: 'one/main', swap: 'c' }),
  )
  assert.deepEqual(counts, [1, 2, 4, 5])
  assert.equal(harness.states['one/again'], 'ready')
})

test('a replaced node that still writes shares the files of its successor, whatever their ids', async () => {
  await using state = await StateFolder.make()
  const stores: Store[] = []
  const definition = keeping((store) => void stores.push(store))
  await using harness = await new ReloadHarness(state.path).start(mid(definition))
  using _flowing = harness.flow()
  const folder = await stores[0]!.folder()
  await harness.reload(node('one/new', definition, { from: 'one/main', swap: 'b', was: 'one/mid' }))
  assert.deepEqual([await stores[0]!.folder(), await stores[1]!.folder()], [folder, folder])
})

test('a state folder that cannot be written fails only the node that stores', async () => {
  await using state = await StateFolder.make()
  await writeFile(join(state.path, 'nodes'), 'a file where the folders would be')
  const definition = keeping(async (store) => void (await countOpenings(store)))
  await using harness = await new ReloadHarness(state.path).start(node('one/store', definition, { from: 'one/main' }))
  harness.send(3)
  assert.deepEqual(harness.states, { 'one/main': 'ready', 'one/store': 'waiting', 'one/out': 'ready' })
  assert.equal(harness.output.chunks.length, 3)
})

test('a rejection of the store that a node does not handle is a failure of that node', async () => {
  await using state = await StateFolder.make()
  await writeFile(join(state.path, 'nodes'), '')
  const rejected: unknown[] = []
  const definition = keeping((store) => {
    // As a plugin that forgets the promise; the test takes the place of the process.
    store.write('count', new Uint8Array()).catch((error: unknown) => rejected.push(error))
  })
  await using harness = await new ReloadHarness(state.path).start(node('one/store', definition, { from: 'one/main' }))
  await until(() => rejected.length > 0, 'the write is rejected')
  assert.equal(harness.engine.contain(rejected[0]), true)
  harness.send(1)
  assert.deepEqual(harness.states, { 'one/main': 'ready', 'one/store': 'failed', 'one/out': 'ready' })
})

test('a folder that the configuration names and nobody can write ends the start with its reason', async () => {
  await using state = await StateFolder.make()
  await writeFile(join(state.path, 'file'), '')
  const definition = keeping(async (store) => void (await store.at(join(state.path, 'file', 'below'))))
  await using harness = new ReloadHarness(state.path)
  await assert.rejects(harness.start(mid(definition)), { code: 'STORE_FOLDER', message: /below cannot be written/ })
})
