import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type {
  AnyChunk,
  Inlet,
  LiveEntry,
  LiveRoute,
  LiveRouteOptions,
  Options,
  Previous,
} from '@millrace/engine/plugin'
import { buildTs, FakeContext, TestAudiences } from '@millrace/engine/testing'
import { Framer } from '@millrace/media/mpegts'
import { BehaviorSubject, Subject } from 'rxjs'
import httpTs from './index.js'

type Settings = Parameters<typeof httpTs.open>[0]['value']

class FakeRoute implements LiveRoute {
  readonly entries: LiveEntry[] = []
  readonly said: string[] = []
  behindBytes = 0
  onCaughtUp: (() => void) | undefined
  options: LiveRouteOptions
  readonly counters = {
    clients: 0,
    connects: 0,
    sentBytes: 0,
    refused: new Map<string, number>(),
    ended: new Map<string, number>(),
    skips: 0,
    skippedBytes: 0,
  }

  constructor(options: LiveRouteOptions) {
    this.options = options
  }

  push(entry: LiveEntry): void {
    this.entries.push(entry)
  }

  end(): void {
    this.said.push('end')
  }

  drained(): Promise<void> {
    this.said.push('drained')
    return Promise.resolve()
  }

  update(options: LiveRouteOptions): void {
    if (options.path === '/taken.ts') throw new Error('it is taken')
    this.options = options
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.said.push('dispose')
    return Promise.resolve()
  }
}

class Bench {
  readonly options$: BehaviorSubject<Settings>
  readonly chunks = new Subject<AnyChunk>()
  readonly route: FakeRoute
  readonly output
  holds = 0
  holdCount = 0
  isPausable: boolean
  readonly context = new FakeContext('one/ts')
  readonly audiences = new TestAudiences('one/ts')

  constructor(more: object = {}, isPausable = false, previous?: Previous) {
    this.isPausable = isPausable
    this.options$ = new BehaviorSubject(parse(more))
    const routes: FakeRoute[] = []
    const { audiences } = this
    const delivery = {
      open: (options: LiveRouteOptions) => routes[routes.push(new FakeRoute(options)) - 1]!,
      memory: () => assert.fail('it keeps no media'),
      window: () => assert.fail('its routes have one'),
    }
    this.output = httpTs.open(this.options$ as Options<Settings>, this.context, { audiences, delivery }, previous)
    this.route = routes[0]!
  }

  async accept(): Promise<void> {
    const { isPausable } = this
    const inlet: Inlet = {
      id: 'one/gops.out',
      chunks: this.chunks,
      pausable: isPausable,
      hold: () => {
        this.holds++
        this.holdCount++
        return { [Symbol.dispose]: () => void this.holds-- }
      },
    }
    const output = await this.output
    output.accept([inlet])
  }
}

function parse(more: object): Settings {
  return httpTs.options.parse({ path: '/live.ts', listener: 'web', ...more })
}

const [first, ...others] = chunksOf(buildTs({ durationS: 2 }).bytes)

function chunksOf(bytes: Uint8Array): AnyChunk[] {
  const framer = new Framer()
  const chunks: AnyChunk[] = []
  for (let at = 0; at < bytes.length; at += 20 * 188) {
    chunks.push(...framer.push(bytes.subarray(at, at + 20 * 188), at), ...framer.flush(at))
  }
  return chunks
}

describe('output http-ts', () => {
  test('opens its route with the options from the YAML', () => {
    const { route } = new Bench({ start: 'now', window: { duration: '3s', size: '1MiB' }, cors: '*' })
    const { id, listener, path, contentType, start, window, slow, stallTimeoutMs, offline, cors, catchUpBytes } =
      route.options
    assert.deepEqual([id, listener, path, contentType, start], ['one/ts', 'web', '/live.ts', 'video/mp2t', 'now'])
    assert.deepEqual(window, { durationMs: 3000, sizeBytes: 1024 * 1024, keepUnread: false })
    assert.deepEqual([slow, stallTimeoutMs, cors, catchUpBytes], ['skip', 90_000, '*', 256 * 1024])
    assert.deepEqual(offline, { waitForMs: 10_000, status: 503, endAfterMs: 300_000 })
  })

  test('has a memory bound: its window, and what is in flight to its viewers', () => {
    const [window, catchUp] = [64 * 1024 * 1024, 256 * 1024]
    assert.equal(httpTs.memoryBound?.(parse({ clients: { max: 500 } }), 5000, 1), window + 500 * catchUp)
    assert.equal(httpTs.memoryBound?.(parse({}), 5000, 1), window + 5000 * catchUp)
    assert.equal(httpTs.memoryBound?.(parse({ clients: { max: 9000 } }), 5000, 1), window + 5000 * catchUp)
    assert.equal(httpTs.memoryBound?.(parse({}), Infinity, 1), Infinity)
  })

  test('refuses an invalid path', () => {
    for (const path of ['live.ts', '/a b', '/a?b', '/a#b', '']) assert.throws(() => parse({ path }), path)
    assert.deepEqual(httpTs.exclusive?.(parse({ offline: { waitFor: '3s', status: 404 }, cors: '*' })), [
      { kind: 'http', listener: 'web', path: '/live.ts', offline: { waitForMs: 3000, status: 404, cors: '*' } },
    ])
  })

  test('passes chunks on, and ends its route when the source completes', async () => {
    const bench = new Bench()
    await bench.accept()
    bench.chunks.next(first!)
    assert.equal(bench.route.entries[0]?.bytes, first?.bytes)
    bench.chunks.complete()
    const output = await bench.output
    await output.drained?.()
    await output[Symbol.asyncDispose]()
    assert.deepEqual(bench.route.said, ['end', 'end', 'drained', 'dispose'])
  })

  test('holds a pausable source while a viewer is behind, and releases it when the viewer has caught up', async () => {
    const bench = new Bench({}, true)
    await bench.accept()
    bench.chunks.next(first!)
    assert.equal(bench.holds, 0)
    bench.route.behindBytes = 4 * 1024 * 1024 + 1
    bench.chunks.next(others[0]!)
    bench.chunks.next(others[1]!)
    assert.deepEqual([bench.holds, bench.holdCount], [1, 1])
    bench.route.behindBytes = 3 * 1024 * 1024
    bench.route.onCaughtUp?.()
    assert.equal(bench.holds, 1)
    bench.route.behindBytes = 2 * 1024 * 1024
    bench.route.onCaughtUp?.()
    bench.route.onCaughtUp?.()
    assert.equal(bench.holds, 0)
    bench.route.behindBytes = 5 * 1024 * 1024
    bench.chunks.next(others[2]!)
    assert.equal(bench.holds, 1)
    await (await bench.output)[Symbol.asyncDispose]()
    assert.equal(bench.holds, 0)
  })

  test('holds early enough for a small window', async () => {
    const bench = new Bench({ window: { size: '256KiB' } }, true)
    await bench.accept()
    bench.route.behindBytes = 1
    bench.chunks.next(first!)
    assert.equal(bench.holds, 1)
  })

  test('keeps what a viewer of a pausable source has not read, however long that takes, and else no more than of any source', async () => {
    const waiting = new Bench({}, true)
    await waiting.accept()
    waiting.chunks.next(first!)
    assert.deepEqual(waiting.route.options.window, {
      durationMs: 10_000,
      sizeBytes: 64 * 1024 * 1024,
      keepUnread: true,
    })
    const live = new Bench()
    await live.accept()
    live.chunks.next(first!)
    assert.deepEqual(live.route.options.window, { durationMs: 10_000, sizeBytes: 64 * 1024 * 1024, keepUnread: false })
  })

  test('never holds a source that is not pausable', async () => {
    const bench = new Bench()
    await bench.accept()
    bench.route.behindBytes = 1e9
    bench.chunks.next(first!)
    assert.equal(bench.holdCount, 0)
  })

  test('applies live options', async () => {
    const bench = new Bench()
    await bench.accept()
    bench.options$.next(parse({ start: 'now', slow: 'disconnect', clients: { max: 1 } }))
    assert.equal(bench.route.options.slow, 'disconnect')
    const { audience } = bench.route.options
    const who = { protocol: 'http', listener: 'web', client: 'a', address: 'a', user: undefined, agent: '', place: '/' }
    assert.ok('sent' in audience!.enter(who))
    assert.deepEqual(audience!.enter(who), { refused: 'max-clients', status: 503 })
    bench.chunks.next(first!)
    bench.chunks.next(others.find((chunk) => chunk.kind === 'ts' && !chunk.randomAccess)!)
    assert.deepEqual(
      bench.route.entries.map(({ join }) => join !== undefined),
      [true, true],
    )
  })

  test('moves its route, and is degraded while the new path is taken', async () => {
    const bench = new Bench()
    await bench.accept()
    bench.options$.next(parse({ path: '/new.ts', listener: 'tv', aliasFor: '1h' }))
    const { path, listener, aliasForMs } = bench.route.options
    assert.deepEqual([path, listener, aliasForMs], ['/new.ts', 'tv', 3_600_000])
    bench.options$.next(parse({ path: '/taken.ts' }))
    assert.equal(bench.route.options.path, '/new.ts')
    bench.options$.next(parse({ path: '/next.ts' }))
    assert.deepEqual(bench.context.reported, ['degraded: it is taken', 'ready'])
  })

  test('the next node continues with the builder, from any copy of the module: no entry differs', async () => {
    const one = new Bench()
    await one.accept()
    const before = new Bench()
    await before.accept()
    const output = (await before.output) as {
      snapshotState?(): { joinsAnywhere: boolean; push(chunk: AnyChunk): LiveEntry[]; expectCounterJumps(): void }
    }
    const builder = output.snapshotState?.()
    assert.ok(builder !== undefined)
    const foreign = {
      joinsAnywhere: false,
      push: (chunk: AnyChunk) => builder.push(chunk),
      expectCounterJumps: () => builder.expectCounterJumps(),
    }
    const inlets = { kept: [], added: ['one/gops.out'], removed: ['one/gops.out'], renamed: new Map() }
    const after = new Bench({}, false, { state: foreign, inlets })
    await after.accept()
    const half = Math.floor(others.length / 2)
    for (const chunk of [first!, ...others]) one.chunks.next(chunk)
    for (const chunk of [first!, ...others.slice(0, half)]) before.chunks.next(chunk)
    for (const chunk of others.slice(half)) after.chunks.next(chunk)
    const made = (bench: Bench): unknown[] =>
      bench.route.entries.map(({ join, ...entry }) => ({ ...entry, lead: [join?.preamble(), join?.bridge()] }))
    assert.deepEqual([...made(before), ...made(after)], made(one))
  })
})
