import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Observable } from 'rxjs'
import { z } from 'zod'
import type { Graph, NodeSettings } from '../graph/graph.js'
import { RawClient, until } from '../listen/loopback.test.kit.js'
import type { AnyChunk, Definition, Inlet, Options, Stage } from '../plugin/contract.js'
import { defineOutput, defineTransform } from '../plugin/define.js'
import { DELIVERY } from '../plugin/tokens.js'
import { planReload } from '../reload/plan-reload.js'
import type { AppliedReload, RolledBack } from '../reload/reload-target.js'
import { startEngine } from './engine.js'
import type { RunningEngine } from './engine.js'
import { LiveEngine, liveYaml } from './live-engine.test.kit.js'
import { chunk, inputOf, keptLog, KeepingSink, outputOf, reads, ScriptedSource, settings } from './run.test.kit.js'

const NOTHING = new Uint8Array(0)
const ROUTE = {
  listener: 'web',
  path: '/test',
  contentType: 'video/mp2t',
  start: 'keyframe',
  burstMs: 0,
  lead: NOTHING,
  window: { durationMs: 10_000, sizeBytes: 1024 * 1024 },
  slow: 'skip',
  stallTimeoutMs: 60_000,
  offline: { waitForMs: 10_000, status: 503, endAfterMs: 60_000 },
  clients: { max: 0, soft: 0, perAddress: 0, overLimitStatus: 503 },
  cors: undefined,
  catchUpBytes: 256 * 1024,
} as const

type Mode = { readonly swap: string; readonly live: string }

const options = z.strictObject({
  swap: z.string().default('').meta({ description: 'For tests.', reload: 'swap' }),
  live: z.string().default('').meta({ description: 'For tests.', reload: 'live' }),
})
const common = { options, examples: [], summary: 'For tests.' } as const

function stage(
  open: (options$: Options<Mode>, previous: unknown) => Stage,
  more: { readonly makesStream?: boolean } = {},
): Definition {
  return defineTransform({
    ...more,
    ...common,
    type: 'test-stage',
    consumes: ['ts'],
    produces: 'ts',
    inlets: 'one',
    ports: ['out'],
    open: (options$, _context, _deps, previous) => open(options$, previous),
  })
}

/** Passes everything, until it throws at the chunk of that number. */
class ThrowingStage implements Stage {
  readonly #at: number

  constructor(at: number) {
    this.#at = at
  }

  apply([inlet]: readonly Inlet[]): Record<string, Observable<AnyChunk>> {
    const out = new Observable<AnyChunk>((subscriber) =>
      inlet?.chunks.subscribe({
        next: (each) => {
          if (each.origin.seq >= this.#at) throw new Error(`broken at ${this.#at}`)
          subscriber.next(each)
        },
        complete: () => subscriber.complete(),
      }),
    )
    return { out }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

/** An engine whose one pipeline is made of scripted nodes. */
class Bench implements AsyncDisposable {
  readonly source = new ScriptedSource()
  readonly sink = new KeepingSink()
  readonly rolledBack: RolledBack[] = []
  #seq = 0
  #live: LiveEngine | undefined
  #graph: Graph | undefined
  #engine: RunningEngine | undefined

  get engine(): RunningEngine {
    return this.#engine!
  }

  async start(...nodes: readonly NodeSettings[]): Promise<this> {
    this.#live = await LiveEngine.create()
    this.#graph = await this.#live.load(liveYaml())
    this.#engine = await startEngine(this.#with(nodes), { log: keptLog(this.#live.lines) })
    this.#engine.onRolledBack = (what) => this.rolledBack.push(what)
    return this
  }

  /** `one/main` and `one/out`, with the given nodes between and beside them. */
  async reload(...nodes: readonly NodeSettings[]): Promise<AppliedReload> {
    const next = this.#with(nodes)
    return this.engine.apply(planReload(this.engine.graph, next), next)
  }

  /** Sends so many chunks, every fifth a key frame. */
  send(count: number): void {
    for (let sent = 0; sent < count; sent++) {
      this.source.next({ ...chunk(this.#seq, 100, this.#seq % 5 === 0), receivedAtMs: performance.now() } as AnyChunk)
      this.#seq++
    }
  }

  address(listener: string): string {
    return this.#live!.addressOf(this.engine, listener)
  }

  state(id: string): string | undefined {
    return this.engine.status().pipelines[0]?.nodes.find((node) => node.id === id)?.state
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine?.stop('test')
    await this.#live?.[Symbol.asyncDispose]()
  }

  readonly #main = inputOf((context) => {
    context.ready()
    return this.source
  })
  readonly #out = outputOf(() => this.sink)

  #with(nodes: readonly NodeSettings[]): Graph {
    const out = nodes.some(({ id }) => id === 'one/mid') ? 'one/mid' : 'one/main'
    const all = [settings('one/main', this.#main), ...nodes, settings('one/out', this.#out, reads(out))]
    return { ...this.#graph!, services: [], pipelines: [{ name: 'one', description: '', nodes: all }] }
  }
}

function mid(definition: Definition, more: Partial<Mode> = {}): NodeSettings {
  return settings('one/mid', definition, { ...reads('one/main'), options: { swap: '', live: '', ...more } })
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

describe('a node that is changed', () => {
  test('hands over what it has to the one that takes its place', async () => {
    const seen: unknown[] = []
    const counting = stage((_options, previous) => {
      seen.push(previous)
      return Object.assign(new ThrowingStage(Infinity), { handOver: () => 'state' })
    })
    await using bench = await new Bench().start(mid(counting))
    bench.send(7)
    const applying = bench.reload(mid(counting, { swap: 'other' }))
    await until(() => {
      bench.send(1)
      return seen.length === 2
    }, 'the new one is open')
    await until(() => {
      bench.send(1)
      return bench.engine.graph.pipelines[0]?.nodes[1]?.options !== undefined
    }, 'it is committed')
    bench.send(12)
    const { cuts } = await applying
    assert.deepEqual(seen, [undefined, 'state'])
    assert.deepEqual(
      cuts.map(({ node, how }) => [node, how]),
      [['one/out', 'clean']],
    )
    bench.send(3)
    assert.deepEqual(bench.sink.seqs, numbers(0, bench.sink.seqs.length))
  })

  test('that makes a stream of its own is cut over at a key frame, with a marked discontinuity', async () => {
    const making = stage(() => new ThrowingStage(Infinity), { makesStream: true })
    await using bench = await new Bench().start(mid(making))
    bench.send(7)
    const sending = setInterval(() => bench.send(1), 2)
    const { cuts } = await bench.reload(mid(making, { swap: 'other' }))
    clearInterval(sending)
    assert.deepEqual(
      cuts.map(({ node, how }) => [node, how]),
      [['one/out', 'marked']],
    )
    bench.send(3)
    const marked = bench.sink.chunks.filter(({ discontinuity }) => discontinuity === 'lost')
    assert.equal(marked.length, 1)
    assert.equal((marked[0]?.origin.seq ?? -1) % 5, 0)
  })

  test('goes back, once, when it fails in its probation', async () => {
    const throwing = stage(({ value }) => new ThrowingStage(value.swap === 'bad' ? 40 : Infinity))
    await using bench = await new Bench().start(mid(throwing))
    bench.send(3)
    const applying = bench.reload(mid(throwing, { swap: 'bad' }))
    await until(() => {
      if (bench.sink.seqs.length < 30) bench.send(1)
      return bench.sink.seqs.length >= 30
    }, 'chunks have passed')
    await applying
    bench.send(20)
    await until(() => bench.state('one/mid') === 'ready', 'the old definition runs again')
    await until(() => bench.rolledBack.length > 0, 'it is told')
    assert.deepEqual(
      bench.rolledBack.map(({ node, why }) => [node, why]),
      [['one/mid', 'broken at 40']],
    )
    assert.deepEqual(bench.engine.graph.pipelines[0]?.nodes[1]?.options, { swap: '', live: '' })
    const before = bench.sink.seqs.length
    bench.send(20)
    assert.ok(bench.sink.seqs.length > before)
  })

  test('goes back when it throws at a live option', async () => {
    const picky = stage((options$) => {
      options$.subscribe(({ live }) => {
        if (live === 'bad') throw new Error('not this')
      })
      return new ThrowingStage(Infinity)
    })
    await using bench = await new Bench().start(mid(picky))
    bench.send(3)
    await bench.reload(mid(picky, { live: 'bad' }))
    await until(() => bench.rolledBack.length > 0, 'it is told')
    assert.equal(bench.state('one/mid'), 'ready')
    const before = bench.sink.seqs.length
    bench.send(20)
    assert.ok(bench.sink.seqs.length > before)
  })

  test('that can not open changes nothing', async () => {
    const closed = stage(({ value }) => {
      if (value.swap === 'bad') throw new Error('can not open')
      return new ThrowingStage(Infinity)
    })
    await using bench = await new Bench().start(mid(closed))
    bench.send(3)
    const { graph } = bench.engine
    await assert.rejects(bench.reload(mid(closed, { swap: 'bad' })), { message: 'can not open' })
    bench.send(20)
    assert.deepEqual(bench.sink.seqs, numbers(0, 23))
    assert.equal(bench.engine.graph, graph)
    assert.deepEqual(bench.rolledBack, [])
  })

  test('is cut in time, and cleanly, when the engine stops in the middle of a commit', async () => {
    const passing = stage(() => new ThrowingStage(Infinity))
    await using bench = await new Bench().start(mid(passing))
    bench.send(3)
    const { graph } = bench.engine
    const applying = bench.reload(mid(passing, { swap: 'other' }))
    await until(() => bench.engine.graph !== graph, 'it is under way')
    await bench.engine.stop('SIGTERM')
    assert.deepEqual(
      (await applying).cuts.map(({ node, how }) => [node, how]),
      [['one/out', 'marked']],
    )
    await assert.rejects(bench.reload(mid(passing)), { code: 'RELOAD_STOPPING' })
  })
})

describe('an output that is changed', () => {
  const serving = defineOutput({
    ...common,
    type: 'test-serving',
    consumes: ['ts'],
    inlets: 'one',
    inject: { delivery: DELIVERY },
    exclusive: () => ['http:web/test'],
    open: ({ value }, context, { delivery }) => {
      const route = delivery.open({ ...ROUTE, id: context.id })
      return {
        accept: ([inlet]: readonly Inlet[]) =>
          inlet!.chunks.subscribe(({ bytes, receivedAtMs, origin }) => {
            if (value.swap === 'bad' && origin.seq > 60) throw new Error('broken')
            const join = { keyframe: true, preamble: NOTHING, bridge: NOTHING }
            route.push({ bytes, receivedAtMs, ...(origin.seq % 5 === 0 ? { join } : {}) })
          }),
        [Symbol.asyncDispose]: () => route[Symbol.asyncDispose](),
      }
    },
  })
  const output = (swap: string): NodeSettings =>
    settings('one/serve', serving, { ...reads('one/main'), options: { swap, live: '' } })

  test('loses no viewer when the new one fails in its probation', async () => {
    await using bench = await new Bench().start(output('good'))
    bench.send(6)
    const viewer = new RawClient(bench.address('web')).get('/test')
    const sending = setInterval(() => bench.send(1), 2)
    await viewer.saw('200 OK')
    await bench.reload(output('bad'))
    await until(() => bench.rolledBack.length > 0, 'it has gone back')
    await viewer.received(viewer.length + 1000)
    clearInterval(sending)
    assert.equal(bench.engine.clients().length, 1)
    viewer.close()
  })
})

describe('a node that holds something alone', () => {
  const recorder = (sinks: KeepingSink[], said: string[], more: { readonly fails?: boolean } = {}): Definition =>
    defineOutput({
      ...common,
      type: 'test-recorder',
      consumes: ['ts'],
      inlets: 'one',
      exclusive: () => ['path:/rec/a.ts'],
      open: ({ value }) => {
        said.push(`open ${value.swap}`)
        if (more.fails === true && value.swap === 'bad') throw new Error('disk full')
        const sink = new KeepingSink()
        sinks.push(sink)
        return {
          accept: (inlets: readonly Inlet[]) => sink.accept(inlets),
          [Symbol.asyncDispose]: () => {
            said.push(`close ${value.swap}`)
            return Promise.resolve()
          },
        }
      },
    })
  const rec = (definition: Definition, swap: string): NodeSettings =>
    settings('one/rec', definition, { ...reads('one/main'), options: { swap, live: '' } })

  test('lets go of it before the next one opens, at a boundary, and nothing is lost but what the gap costs', async () => {
    const [sinks, said]: [KeepingSink[], string[]] = [[], []]
    const definition = recorder(sinks, said)
    await using bench = await new Bench().start(rec(definition, 'a'))
    bench.send(7)
    const pending = setInterval(() => bench.send(1), 2)
    const { cuts } = await bench.reload(rec(definition, 'b'))
    clearInterval(pending)
    bench.send(10)
    assert.deepEqual(said, ['open a', 'close a', 'open b'])
    assert.equal(cuts.length, 1)
    assert.equal((sinks[1]?.seqs[0] ?? -1) % 5, 0)
    assert.equal(bench.state('one/rec'), 'ready')
  })

  test('opens again as it was where the next one can not', async () => {
    const [sinks, said]: [KeepingSink[], string[]] = [[], []]
    const definition = recorder(sinks, said, { fails: true })
    await using bench = await new Bench().start(rec(definition, 'a'))
    bench.send(7)
    const pending = setInterval(() => bench.send(1), 2)
    await bench.reload(rec(definition, 'bad'))
    clearInterval(pending)
    bench.send(10)
    assert.deepEqual(said, ['open a', 'close a', 'open bad', 'open a'])
    assert.deepEqual(
      bench.rolledBack.map(({ node, why }) => [node, why]),
      [['one/rec', 'disk full']],
    )
    assert.equal(bench.state('one/rec'), 'ready')
    assert.ok((sinks[1]?.chunks.length ?? 0) > 0)
  })
})
