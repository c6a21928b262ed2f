import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import type { Definition } from '../../plugin/contract.js'
import type { Store } from '../../plugin/store.js'
import { RecordingOutput } from '../run.test.kit.js'
import { keeping, node, output } from '../scripted-nodes.test.kit.js'
import { ReloadHarness } from './reload.test.kit.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function textOf(store: Store, name = 'who'): Promise<string | undefined> {
  const read = await store.read(name)
  return read && new TextDecoder().decode(read)
}

/** A state folder, and nodes that keep their stores by their labels. */
class Bench implements AsyncDisposable {
  readonly #path: string
  /** By label and `swap`. */
  readonly stores = new Map<string, Store>()
  /** What each found when it opened. */
  readonly found: string[] = []
  /** Makes the node of that label and `swap` fail. */
  readonly fail = new Map<string, () => void>()

  private constructor(path: string) {
    this.#path = path
  }

  static async make(): Promise<Bench> {
    return new Bench(await mkdtemp(join(tmpdir(), 'node-lineage-')))
  }

  harness(): ReloadHarness {
    return new ReloadHarness(this.#path)
  }

  /** A transform that tells what it finds. */
  transform(label: string): Definition {
    return keeping(async (store, _secrets, { swap }, context) => {
      const name = label + swap
      this.stores.set(name, store)
      this.fail.set(
        name,
        context.guard(() => {
          throw new Error('broken')
        }),
      )
      this.found.push(`${name} ${await textOf(store)}`)
    })
  }

  async write(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.stores.get(name)!.write('who', bytes(name))
  }

  async reads(...names: readonly string[]): Promise<(string | undefined)[]> {
    return Promise.all(names.map((name) => textOf(this.stores.get(name)!)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#path, { recursive: true, force: true })
  }
}

interface More {
  readonly was?: string
  readonly swap?: string
}

function reader(name: string, definition: Definition, { was, ...more }: More = {}): NodeSettings {
  const renamed = was === undefined ? {} : { was: `one/${was}` }
  return node(`one/${name}`, definition, { from: 'one/main', ...renamed, ...more })
}

describe('the files of nodes', () => {
  for (const { name, swapped } of [
    { name: '', swapped: [] },
    { name: ', one of which is swapped', swapped: ['A'] },
    { name: ', the other of which is swapped', swapped: ['B'] },
    { name: ' and are swapped', swapped: ['A', 'B'] },
  ]) {
    test(`stay with nodes that exchange their names${name}`, async () => {
      await using bench = await Bench.make()
      const [A, B] = [bench.transform('A'), bench.transform('B')]
      const out = output(() => new RecordingOutput())
      const swap = (label: string): More => (swapped.includes(label) ? { swap: '2' } : {})
      const now = (label: string): string => label + (swap(label).swap ?? '')
      const exchanged = (was: boolean): NodeSettings[] => [
        reader('b', A, { ...(was ? { was: 'a' } : {}), ...swap('A') }),
        reader('a', B, { ...(was ? { was: 'b' } : {}), ...swap('B') }),
        node('one/out', out, { from: 'one/a' }),
      ]
      {
        await using harness = await bench
          .harness()
          .start(reader('a', A), reader('b', B), node('one/out', out, { from: 'one/b' }))
        using _flow = harness.flow()
        await bench.write('A', 'B')
        await harness.reload(...exchanged(true))
        assert.deepEqual(await bench.reads(now('A'), now('B')), ['A', 'B'])
      }
      await using _next = await bench.harness().start(...exchanged(false))
      assert.deepEqual(await bench.reads(now('A'), now('B')), ['A', 'B'])
    })
  }

  for (const swap of ['', '2']) {
    const how = swap === '' ? 'renamed in place' : 'renamed and swapped'
    test(`stay with a node that is ${how}, while a new one gets its name`, async () => {
      await using bench = await Bench.make()
      const [A, C] = [bench.transform('A'), bench.transform('C')]
      {
        await using harness = await bench.harness().start(reader('a', A))
        using _flow = harness.flow()
        await bench.write('A')
        await harness.reload(reader('b', A, { was: 'a', swap }), reader('a', C))
        await bench.write('C')
        assert.deepEqual(await bench.reads(`A${swap}`, 'C'), ['A', 'C'])
        assert.ok(bench.found.includes('C undefined'))
      }
      await using _next = await bench.harness().start(reader('b', A, { swap }), reader('a', C))
      assert.deepEqual(await bench.reads(`A${swap}`, 'C'), ['A', 'C'])
    })
  }

  test('of the running nodes are not touched by a reload that is given up, nor found elsewhere after a restart', async () => {
    await using bench = await Bench.make()
    const A = bench.transform('A')
    const broken = keeping(async (store) => {
      await store.write('who', bytes('broken'))
      throw new Error('broken')
    })
    {
      await using harness = await bench.harness().start(reader('a', A))
      using _flow = harness.flow()
      await bench.write('A')
      await assert.rejects(harness.reload(reader('b', A, { was: 'a' }), reader('a', broken)), /broken/)
      assert.deepEqual(await bench.reads('A'), ['A'])
    }
    await using _next = await bench.harness().start(reader('a', A))
    assert.deepEqual(await bench.reads('A'), ['A'])
  })

  test('are not those that a removed node writes at its end, whoever has its name by then', async () => {
    await using bench = await Bench.make()
    const writes: Promise<void>[] = []
    const B = bench.transform('B')
    const A = keeping((store, _secrets, _mode, context) => {
      context.signal.addEventListener('abort', () => void writes.push(store.write('who', bytes('A'))))
    })
    await using harness = await bench.harness().start(reader('a', A), reader('b', B))
    using _flow = harness.flow()
    await bench.write('B')
    await harness.reload(reader('a', B, { was: 'b' }))
    await until(() => writes.length > 0, 'the removed node has ended')
    await Promise.all(writes)
    assert.deepEqual(await bench.reads('B'), ['B'])
  })

  test('are found by a node that is removed, and added again while the old one still ends', async () => {
    await using bench = await Bench.make()
    const A = bench.transform('A')
    await using harness = await bench.harness().start(reader('a', A))
    using _flow = harness.flow()
    await bench.write('A')
    await harness.reload()
    await harness.reload(reader('a', A))
    assert.deepEqual(bench.found, ['A undefined', 'A A'])
  })

  test('stay with a node that is renamed, swapped, and rolled back because it fails', async () => {
    await using bench = await Bench.make()
    const [A, B] = [bench.transform('A'), bench.transform('B')]
    const out = output(() => new RecordingOutput())
    await using harness = await bench
      .harness()
      .start(reader('a', A), reader('b', B), node('one/out', out, { from: 'one/a' }))
    using _flow = harness.flow()
    await bench.write('A', 'B')
    await harness.reload(
      reader('b', A, { was: 'a', swap: '2' }),
      reader('a', B, { was: 'b' }),
      node('one/out', out, { from: 'one/b' }),
    )
    bench.fail.get('A2')!()
    await until(() => harness.rolledBack.length > 0, 'it is rolled back')
    await harness.idle()
    assert.deepEqual(bench.found.at(-1), 'A A')
    assert.deepEqual(await bench.reads('A', 'B'), ['A', 'B'])
  })
})

describe('a rollback of the whole graph', () => {
  /** B is swapped and its output reads a new node, so that B alone cannot go back. */
  async function rolledBack(bench: Bench, was: boolean): Promise<ReloadHarness> {
    const [A, B, C] = [bench.transform('A'), bench.transform('B'), bench.transform('C')]
    const out = output(() => new RecordingOutput())
    const harness = await bench
      .harness()
      .start(reader('a', A), reader('b', B), reader('c', C), node('one/out', out, { from: 'one/b' }))
    using _flow = harness.flow()
    await bench.write('A', 'B', 'C')
    const D = bench.transform('D')
    await harness.reload(
      reader('new', A, was ? { was: 'a' } : {}),
      reader('a', C, { was: 'c' }),
      reader('d', D),
      node('one/out', out, { from: 'one/d' }),
    )
    bench.fail.get('D')!()
    await until(() => harness.rolledBack.length > 0, 'it is rolled back')
    await harness.idle()
    assert.match(harness.rolledBack[0]!.why, /the whole previous configuration/)
    return harness
  }

  test('gives nodes that keep running their former names, and does not open them again', async () => {
    await using bench = await Bench.make()
    await using harness = await rolledBack(bench, true)
    assert.deepEqual(await bench.reads('A', 'B', 'C'), ['A', 'B', 'C'])
    assert.deepEqual(
      bench.found.filter((found) => /^[AC] /.test(found)),
      ['A undefined', 'C undefined'],
    )
    assert.deepEqual(Object.keys(harness.states), ['one/main', 'one/a', 'one/b', 'one/c', 'one/out'])
  })

  test('gives removed nodes the files that they had, also if another node has had their name', async () => {
    await using bench = await Bench.make()
    await using _harness = await rolledBack(bench, false)
    assert.deepEqual(bench.found.slice(-2).sort(), ['A A', 'B B'])
    assert.deepEqual(await bench.reads('A', 'B', 'C'), ['A', 'B', 'C'])
  })
})
