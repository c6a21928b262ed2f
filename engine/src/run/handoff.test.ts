import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../graph/graph.js'
import { until } from '../listen/loopback.test.kit.js'
import type { Definition, Inlet } from '../plugin/contract.js'
import { READY_WITHIN_MS } from './handoff.js'
import { Bench } from './reload.test.kit.js'
import { KeepingSink } from './run.test.kit.js'
import { node, output, Sources } from './scripted-nodes.test.kit.js'

/** Outputs of which each holds alone what its `swap` says. */
class Recorders {
  readonly said: string[] = []
  readonly sinks: KeepingSink[] = []
  readonly definition: Definition
  readonly #held = new Set<string>()

  constructor(more: { readonly held?: string; readonly onOpen?: (swap: string) => void } = {}) {
    const { held, onOpen } = more
    this.definition = output(
      ({ swap }, { id }) => {
        const what = held ?? swap
        this.said.push(`open ${swap} by ${id}`)
        onOpen?.(swap)
        if (this.#held.has(what)) throw new Error(`${what} is held`)
        this.#held.add(what)
        const sink = new KeepingSink()
        this.sinks.push(sink)
        return {
          accept: (inlets: readonly Inlet[]) => sink.accept(inlets),
          [Symbol.asyncDispose]: () => {
            if (this.#held.delete(what)) this.said.push(`close ${swap} by ${id}`)
            return Promise.resolve()
          },
        }
      },
      { exclusive: ({ swap }) => [`path:/rec/${held ?? swap}.ts`] },
    )
  }

  node(id: string, swap: string): NodeSettings {
    return node(id, this.definition, { from: `${id.slice(0, id.indexOf('/'))}/main`, swap })
  }
}

describe('a node that holds something alone', () => {
  test('lets go of it before the next one opens, at a boundary, and nothing is lost but what the gap costs', async () => {
    const recorders = new Recorders({ held: 'a' })
    await using bench = await new Bench().start(recorders.node('one/rec', 'old'))
    bench.send(7)
    using flow = bench.flow()
    const { cuts } = await bench.reload(recorders.node('one/rec', 'new'))
    flow[Symbol.dispose]()
    bench.send(10)
    assert.deepEqual(recorders.said, ['open old by one/rec', 'close old by one/rec', 'open new by one/rec'])
    assert.equal(cuts.length, 1)
    assert.equal((recorders.sinks[1]?.seqs[0] ?? -1) % 5, 0)
    assert.equal(bench.states['one/rec'], 'ready')
  })

  test('opens again as it was where the next one can not, and is told once', async () => {
    const recorders = new Recorders({
      held: 'a',
      onOpen: (swap) => {
        if (swap === 'bad') throw new Error('disk full')
      },
    })
    await using bench = await new Bench().start(recorders.node('one/rec', 'good'))
    bench.send(7)
    using flow = bench.flow()
    await bench.reload(recorders.node('one/rec', 'bad'))
    await bench.settled()
    flow[Symbol.dispose]()
    bench.send(10)
    assert.deepEqual(recorders.said, [
      'open good by one/rec',
      'close good by one/rec',
      'open bad by one/rec',
      'open good by one/rec',
    ])
    assert.deepEqual(
      bench.rolledBack.map(({ node: id, why }) => [id, why]),
      [['one/rec', 'disk full']],
    )
    assert.equal(bench.states['one/rec'], 'ready')
    assert.equal(bench.swapOf('one/rec'), 'good')
    assert.ok((recorders.sinks[1]?.chunks.length ?? 0) > 0)
  })

  test('that was opened again still fails by its own errors', async () => {
    const recorders = new Recorders({
      held: 'a',
      onOpen: (swap) => {
        if (swap === 'bad') throw new Error('disk full')
      },
    })
    await using bench = await new Bench().start(recorders.node('one/rec', 'good'))
    bench.send(7)
    using _flow = bench.flow()
    await bench.reload(recorders.node('one/rec', 'bad'))
    recorders.sinks[1]!.onChunk = () => {
      throw new Error('broken')
    }
    await until(() => bench.states['one/rec'] === 'failed', 'it has failed')
  })

  test('is not opened again, nor the next one waited for, when the engine stops', { timeout: 60_000 }, async () => {
    const said: string[] = []
    const hanging = output(
      ({ swap }, { signal }) => {
        said.push(swap)
        if (swap !== 'hangs') return new KeepingSink()
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))))
      },
      { exclusive: () => ['path:/rec/a.ts'] },
    )
    const to = (swap: string): NodeSettings => node('one/rec', hanging, { from: 'one/main', swap })
    await using bench = await new Bench().start(to('good'))
    const applying = bench.reload(to('hangs')).catch(() => undefined)
    await until(() => said.length === 2, 'the next one opens')
    const startedMs = performance.now()
    await bench.engine.stop('SIGTERM')
    await applying
    // The drain takes a second; waiting for the next one would take all of it.
    assert.ok(performance.now() - startedMs < 0.8 * READY_WITHIN_MS)
    assert.deepEqual(said, ['good', 'hangs'])
  })
})

interface Exchange {
  readonly name: string
  /** By id, what each holds. */
  readonly before: Readonly<Record<string, string>>
  readonly after: Readonly<Record<string, string>>
}

const EXCHANGES: readonly Exchange[] = [
  {
    name: 'from one that is removed',
    before: { 'one/a': 'x', 'one/b': 'y' },
    after: { 'one/a': 'y' },
  },
  {
    name: 'from one of another pipeline',
    before: { 'one/a': 'x', 'two/b': 'y', 'two/c': 'z' },
    after: { 'one/a': 'y', 'two/c': 'z' },
  },
  {
    name: 'from one that takes in turn what it had',
    before: { 'one/a': 'x', 'one/b': 'y' },
    after: { 'one/a': 'y', 'one/b': 'x' },
  },
  {
    name: 'as one that is new, from one that takes something else',
    before: { 'one/a': 'x' },
    after: { 'one/a': 'y', 'one/n': 'x' },
  },
]

describe('a node takes what another holds alone', () => {
  for (const { name, before, after } of EXCHANGES) {
    test(name, async () => {
      const recorders = new Recorders()
      const sources = new Sources()
      const nodes = (held: Exchange['before']): NodeSettings[] => [
        node('one/main', sources.definition, { swap: 'one' }),
        ...(Object.keys(before).some((id) => id.startsWith('two/'))
          ? [node('two/main', sources.definition, { swap: 'two' })]
          : []),
        ...Object.entries(held).map(([id, swap]) => recorders.node(id, swap)),
      ]
      await using bench = await new Bench().start(...nodes(before))
      const all = ['one', 'two'].filter((swap) => sources.isConnected(swap)).map((swap) => sources.of(swap))
      bench.send(7, ...all)
      using _flow = bench.flow(...all)
      await bench.reload(...nodes(after))
      assert.deepEqual(bench.rolledBack, [])
      for (const [id, swap] of Object.entries(after)) {
        assert.deepEqual([bench.states[id], bench.swapOf(id)], ['ready', swap])
      }
      const from = recorders.said.indexOf('close y by one/b')
      if (before['one/b'] === 'y') assert.ok(recorders.said.indexOf('open y by one/a') > from && from > 0)
      const opened = recorders.sinks.slice(-Object.keys(after).filter((id) => before[id] !== after[id]).length)
      await until(() => opened.every(({ chunks }) => chunks.length > 0), 'those that took it get the stream')
    })
  }
})
