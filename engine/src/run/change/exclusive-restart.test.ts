import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NodeSettings } from '../../graph/graph.js'
import { until } from '../../listen/loopback.test.kit.js'
import type { Definition, Inlet } from '../../plugin/contract.js'
import { READY_WITHIN_MS } from './exclusive-restart.js'
import { ReloadHarness } from './reload.test.kit.js'
import { RecordingOutput } from '../run.test.kit.js'
import { node, output, Sources } from '../scripted-nodes.test.kit.js'

/** Outputs; each needs the exclusive resource that its `swap` names. */
class Recorders {
  readonly log: string[] = []
  readonly outputs: RecordingOutput[] = []
  readonly definition: Definition
  readonly #held = new Set<string>()

  constructor(more: { readonly held?: string; readonly onOpen?: (swap: string) => void } = {}) {
    const { held, onOpen } = more
    this.definition = output(
      ({ swap }, { id }) => {
        const what = held ?? swap
        this.log.push(`open ${swap} by ${id}`)
        onOpen?.(swap)
        if (this.#held.has(what)) throw new Error(`${what} is held`)
        this.#held.add(what)
        const output = new RecordingOutput()
        this.outputs.push(output)
        return {
          accept: (inlets: readonly Inlet[]) => output.accept(inlets),
          [Symbol.asyncDispose]: () => {
            if (this.#held.delete(what)) this.log.push(`close ${swap} by ${id}`)
            return Promise.resolve()
          },
        }
      },
      { exclusive: ({ swap }) => [{ kind: 'file', path: `/rec/${held ?? swap}.ts` }] },
    )
  }

  node(id: string, swap: string): NodeSettings {
    return node(id, this.definition, { from: `${id.slice(0, id.indexOf('/'))}/main`, swap })
  }
}

describe('a node with an exclusive resource', () => {
  test('releases it at a boundary before the next one opens, and loses only the chunks of the gap', async () => {
    const recorders = new Recorders({ held: 'a' })
    await using harness = await new ReloadHarness().start(recorders.node('one/rec', 'old'))
    harness.send(7)
    using flow = harness.flow()
    const { cuts } = await harness.reload(recorders.node('one/rec', 'new'))
    flow[Symbol.dispose]()
    harness.send(10)
    assert.deepEqual(recorders.log, ['open old by one/rec', 'close old by one/rec', 'open new by one/rec'])
    assert.equal(cuts.length, 1)
    assert.equal((recorders.outputs[1]?.seqs[0] ?? -1) % 5, 0)
    assert.equal(harness.states['one/rec'], 'ready')
  })

  test('opens again as it was if the next one cannot, and is reported once', async () => {
    const recorders = new Recorders({
      held: 'a',
      onOpen: (swap) => {
        if (swap === 'bad') throw new Error('disk full')
      },
    })
    await using harness = await new ReloadHarness().start(recorders.node('one/rec', 'good'))
    harness.send(7)
    using flow = harness.flow()
    await harness.reload(recorders.node('one/rec', 'bad'))
    await harness.idle()
    flow[Symbol.dispose]()
    harness.send(10)
    assert.deepEqual(recorders.log, [
      'open good by one/rec',
      'close good by one/rec',
      'open bad by one/rec',
      'open good by one/rec',
    ])
    assert.deepEqual(
      harness.rolledBack.map(({ node: id, why }) => [id, why]),
      [['one/rec', 'disk full']],
    )
    assert.equal(harness.states['one/rec'], 'ready')
    assert.equal(harness.swapOf('one/rec'), 'good')
    assert.ok((recorders.outputs[1]?.chunks.length ?? 0) > 0)
  })

  test('that was opened again still fails on its own errors', async () => {
    const recorders = new Recorders({
      held: 'a',
      onOpen: (swap) => {
        if (swap === 'bad') throw new Error('disk full')
      },
    })
    await using harness = await new ReloadHarness().start(recorders.node('one/rec', 'good'))
    harness.send(7)
    using _flow = harness.flow()
    await harness.reload(recorders.node('one/rec', 'bad'))
    recorders.outputs[1]!.onChunk = () => {
      throw new Error('broken')
    }
    await until(() => harness.states['one/rec'] === 'failed', 'it has failed')
  })

  test('is not opened again, and the next one not waited for, when the engine stops', { timeout: 60_000 }, async () => {
    const log: string[] = []
    const hanging = output(
      ({ swap }, { signal }) => {
        log.push(swap)
        if (swap !== 'hangs') return new RecordingOutput()
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))))
      },
      { exclusive: () => [{ kind: 'file', path: '/rec/a.ts' }] },
    )
    const to = (swap: string): NodeSettings => node('one/rec', hanging, { from: 'one/main', swap })
    await using harness = await new ReloadHarness().start(to('good'))
    const applying = harness.reload(to('hangs')).catch(() => undefined)
    await until(() => log.length === 2, 'the next one opens')
    const startedMs = performance.now()
    await harness.engine.stop('SIGTERM')
    await applying
    // The drain of one second, plus time for the disposal.
    assert.ok(performance.now() - startedMs < 0.8 * READY_WITHIN_MS)
    assert.deepEqual(log, ['good', 'hangs'])
  })
})

interface Exchange {
  readonly name: string
  /** The resource each node holds, by id. */
  readonly before: Readonly<Record<string, string>>
  readonly after: Readonly<Record<string, string>>
}

const EXCHANGES: readonly Exchange[] = [
  {
    name: 'from a removed node',
    before: { 'one/a': 'x', 'one/b': 'y' },
    after: { 'one/a': 'y' },
  },
  {
    name: 'from a node of another pipeline',
    before: { 'one/a': 'x', 'two/b': 'y', 'two/c': 'z' },
    after: { 'one/a': 'y', 'two/c': 'z' },
  },
  {
    name: 'from one that takes the resource it had',
    before: { 'one/a': 'x', 'one/b': 'y' },
    after: { 'one/a': 'y', 'one/b': 'x' },
  },
  {
    name: 'as a new node, from one that takes another resource',
    before: { 'one/a': 'x' },
    after: { 'one/a': 'y', 'one/n': 'x' },
  },
]

describe('a node takes over an exclusive resource', () => {
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
      await using harness = await new ReloadHarness().start(...nodes(before))
      const all = ['one', 'two'].filter((swap) => sources.isConnected(swap)).map((swap) => sources.of(swap))
      harness.send(7, ...all)
      using _flow = harness.flow(...all)
      await harness.reload(...nodes(after))
      assert.deepEqual(harness.rolledBack, [])
      for (const [id, swap] of Object.entries(after)) {
        assert.deepEqual([harness.states[id], harness.swapOf(id)], ['ready', swap])
      }
      const from = recorders.log.indexOf('close y by one/b')
      if (before['one/b'] === 'y') assert.ok(recorders.log.indexOf('open y by one/a') > from && from > 0)
      const opened = recorders.outputs.slice(-Object.keys(after).filter((id) => before[id] !== after[id]).length)
      await until(() => opened.every(({ chunks }) => chunks.length > 0), 'the new holders receive the stream')
    })
  }
})
