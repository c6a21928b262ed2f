import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildTs, withoutPids } from '../../testing/index.js'
import type { AnyChunk, Boundary } from '../../plugin/contract.js'
import type { Definition } from '../../plugin/contract.js'
import type { NodeSettings } from '../../graph/graph.js'
import { Edge } from '../edge/edge.js'
import { InputRunner } from './input-runner.js'
import { until } from '../../listen/loopback.test.kit.js'
import { bytesInputOf, chunk, inputOf, ScriptedSource, settings, testError, RunnerFixture } from '../run.test.kit.js'

type Item = Uint8Array | Boundary

class InputHarness implements AsyncDisposable {
  readonly fixture = new RunnerFixture()
  readonly source: ScriptedSource<Item>
  readonly input: InputRunner
  readonly got: AnyChunk[] = []
  isComplete = false

  constructor(more: Partial<NodeSettings> = {}, canHold = false) {
    this.source = new ScriptedSource<Item>({ canHold })
    this.input = runnerOf(
      this.fixture,
      bytesInputOf(() => this.source),
      more,
    )
    const edge = edgeOf(this.input)
    edge.inlet.chunks.subscribe({
      next: (next) => this.got.push(next),
      complete: () => {
        this.isComplete = true
      },
    })
    this.input.port.connect(edge)
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.got.map(({ bytes }) => bytes))
  }

  get generations(): number[] {
    return [...new Set(this.got.map(({ origin }) => origin.generation))]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.input.stop('test')
    this.fixture[Symbol.dispose]()
  }
}

function runnerOf(fixture: RunnerFixture, definition: Definition, more: Partial<NodeSettings> = {}): InputRunner {
  return new InputRunner(settings('one/main', definition, more), fixture.services)
}

function edgeOf(...inputs: readonly InputRunner[]): Edge {
  const edge = new Edge({ id: 'one/main.out', enter: (run) => run(), fail: assert.ifError })
  edge.sources = inputs.map(({ port }) => port)
  return edge
}

/** First PCR in the chunks of one generation, in 90 kHz units. */
function firstPcr(chunks: readonly AnyChunk[], generation: number): number {
  for (const { bytes, origin } of chunks) {
    if (origin.generation !== generation) continue
    for (let at = 0; at < bytes.length; at += 188) {
      const hasPcr = (bytes[at + 3]! & 0x20) !== 0 && bytes[at + 4]! > 0 && (bytes[at + 5]! & 0x10) !== 0
      if (hasPcr)
        return new DataView(bytes.buffer, bytes.byteOffset + at + 6).getUint32(0) * 2 + (bytes[at + 10]! >>> 7)
    }
  }
  throw new Error('no PCR')
}

const stream = buildTs({ durationS: 2 })
const other = buildTs({ durationS: 2, startPts90k: 90_000_000 })

describe('an input of bytes', () => {
  test('delivers everything at once when it completes', async () => {
    await using harness = new InputHarness()
    await harness.input.start()
    harness.source.next(stream.bytes.slice())
    harness.source.complete()
    assert.deepEqual(Buffer.compare(harness.bytes, stream.bytes), 0)
    assert.deepEqual(
      [harness.isComplete, harness.input.state, harness.input.receivedBytes],
      [true, 'ended', stream.bytes.length],
    )
  })

  test('flushes collected packets every batch', async () => {
    await using harness = new InputHarness({ batchMs: 20 })
    await harness.input.start()
    harness.source.next(stream.bytes.slice(0, 188 * 40))
    const before = harness.bytes.length
    harness.fixture.clock.advance(40)
    assert.ok(harness.bytes.length > before)
    assert.equal(harness.bytes.length, 188 * 40)
  })

  test('delivers everything, including the last picture, when the engine finishes it', async () => {
    await using harness = new InputHarness()
    await harness.input.start()
    harness.source.next(stream.bytes.slice())
    harness.input.finish()
    harness.input.finish()
    harness.source.next(stream.bytes.slice())
    assert.deepEqual([harness.bytes.length, harness.isComplete], [stream.bytes.length, true])
  })

  test('delivers everything, including the last picture, when its stream ends with an `end` error', async () => {
    await using harness = new InputHarness()
    await harness.input.start()
    harness.source.next(stream.bytes.slice())
    harness.source.error(testError('TEST_END', 'over'))
    assert.deepEqual(
      [harness.bytes.length, harness.isComplete, harness.input.state],
      [stream.bytes.length, true, 'ended'],
    )
  })

  test('starts a generation at a boundary', async () => {
    await using harness = new InputHarness()
    await harness.input.start()
    for (let pass = 0; pass < 3; pass++) {
      if (pass > 0) harness.source.next({ boundary: true, timeline: 'contiguous' })
      harness.source.next(stream.bytes.slice())
    }
    harness.source.next({ boundary: true, timeline: 'contiguous' })
    harness.source.complete()
    assert.deepEqual(harness.generations, [0, 1, 2])
    assert.deepEqual(
      harness.got.map(({ origin }) => origin.seq),
      harness.got.map((_, index) => index),
    )
  })

  for (const [name, fail] of [
    ['the source fails', (harness: InputHarness) => harness.source.error(testError('TEST_RETRY', 'gone'))],
    ['a timer of the node fails', (harness: InputHarness) => harness.input.fail(testError('TEST_RETRY', 'gone'))],
  ] as const) {
    test(`starts a generation, later by the time that has passed, when ${name}`, async () => {
      await using harness = new InputHarness()
      await harness.input.start()
      harness.source.next(stream.bytes.slice(0, 188 * 101 + 50))
      fail(harness)
      assert.equal(harness.isComplete, false)
      harness.fixture.clock.advance(500)
      harness.fixture.clock.advance(7000)
      harness.source.next(other.bytes.slice())
      harness.fixture.clock.advance(100)
      harness.source.complete()
      assert.deepEqual([harness.generations, harness.source.attempts], [[0, 1], 2])
      const elapsed = (firstPcr(harness.got, 1) - firstPcr(harness.got, 0)) / 90_000
      assert.ok(elapsed >= 7.5, `${elapsed} s`)
      assert.ok(elapsed < 9.5, `${elapsed} s`)
    })
  }

  test('drops what a source sends again after it has failed, and counts it', async () => {
    await using harness = new InputHarness()
    await harness.input.start()
    harness.source.next(stream.bytes.slice(0, 188 * 101 + 50))
    harness.source.error(testError('TEST_RETRY', 'gone'))
    harness.fixture.clock.advance(500)
    harness.source.next(stream.bytes.slice())
    harness.source.complete()
    assert.deepEqual(harness.generations, [0, 1])
    assert.ok(harness.got.every(({ discontinuity }) => discontinuity === false))
    const repeatedPackets = harness.input.oddities?.repeatedPackets ?? 0
    assert.ok(repeatedPackets > 80 && repeatedPackets <= 101, `${repeatedPackets}`)
    assert.ok(Math.abs(harness.bytes.length - stream.bytes.length) < 10 * 188, `${harness.bytes.length}`)
  })

  test('with `timeline: source` leaves the timestamps unchanged', async () => {
    await using harness = new InputHarness({ timeline: 'source' })
    await harness.input.start()
    harness.source.next(stream.bytes.slice())
    harness.source.next({ boundary: true, timeline: 'elapsed' })
    harness.source.next(stream.bytes.slice())
    harness.source.complete()
    assert.equal(Buffer.compare(harness.bytes, Buffer.concat([stream.bytes, stream.bytes])), 0)
    assert.equal(firstPcr(harness.got, 0), firstPcr(harness.got, 1))
  })

  test('measures its bit rate over a few seconds', async () => {
    await using harness = new InputHarness()
    await harness.input.start()
    for (let second = 0; second < 10; second++) {
      harness.source.next(new Uint8Array(1000))
      harness.input.sample()
    }
    assert.equal(harness.input.bitsPerSecond, 8000)
  })
})

describe('a reload of a running input', () => {
  test('changes how long an announced track may be silent before another leads', async () => {
    await using harness = new InputHarness({ probeMs: 60_000 })
    const leadPid = (): number | undefined => harness.input.status().lead?.pid
    const audioOnly = (startPts90k: number): Uint8Array =>
      withoutPids(buildTs({ durationS: 4, pcr: { pid: 0x101 }, startPts90k }).bytes, 0x100)
    await harness.input.start()
    harness.source.next(audioOnly(0))
    harness.fixture.clock.advance(50)
    assert.equal(leadPid(), 0x100)
    harness.input.update({ ...harness.input.settings, probeMs: 1000 })
    harness.source.next(audioOnly(4 * 90_000))
    harness.fixture.clock.advance(50)
    assert.equal(leadPid(), 0x101)
  })

  test('sets and lifts the highest rate that is taken', async () => {
    await using harness = new InputHarness()
    const packets = stream.bytes.length / 188
    await harness.input.start()
    harness.source.next(stream.bytes.slice())
    assert.equal(harness.input.packets, packets)
    harness.input.update({ ...harness.input.settings, maxBytesPerS: 20_000 })
    harness.source.next(stream.bytes.slice())
    harness.fixture.clock.advance(50)
    const taken = (harness.input.packets - packets) * 188
    assert.ok(taken > 0 && taken < 50_000, `${taken} bytes`)
    const { maxBytesPerS: _, ...without } = harness.input.settings
    harness.input.update(without)
    harness.fixture.clock.advance(1000)
    await until(() => harness.input.packets === 2 * packets, 'all is taken')
  })
})

describe('an input of chunks', () => {
  test('passes them on unchanged', async () => {
    using fixture = new RunnerFixture()
    const source = new ScriptedSource()
    const input = runnerOf(
      fixture,
      inputOf(() => source),
    )
    const edge = edgeOf(input)
    const got: AnyChunk[] = []
    edge.inlet.chunks.subscribe((next) => got.push(next))
    input.port.connect(edge)
    await input.start()
    const first = chunk(0)
    source.next(first)
    assert.equal(got[0], first)
    await input.stop('test')
  })
})

describe('an input that can wait', () => {
  test('is held while any of its readers holds, whatever happens to the others', async () => {
    await using harness = new InputHarness({}, true)
    const { input, source } = harness
    const edges = [edgeOf(input), edgeOf(input), edgeOf(input)] as const
    await input.start()
    const holds = edges.map((edge) => edge.inlet.hold())
    assert.equal(source.holds, 1)
    edges[0].close()
    edges[0].close()
    holds[0]?.[Symbol.dispose]()
    edges[1].detach()
    holds[1]?.[Symbol.dispose]()
    assert.equal(source.holds, 1)
    holds[2]?.[Symbol.dispose]()
    assert.equal(source.holds, 0)
    edges[0].inlet.hold()
    assert.equal(source.holds, 0)
  })

  test('is held again when it is subscribed again, unless no reader holds by then', async () => {
    await using harness = new InputHarness({}, true)
    const { input, source, fixture } = harness
    const edge = edgeOf(input)
    await input.start()
    const hold = edge.inlet.hold()
    source.error(testError('TEST_RETRY', 'gone'))
    assert.equal(source.holds, 0)
    fixture.clock.advance(500)
    assert.deepEqual([source.attempts, source.holds], [2, 1])
    source.error(testError('TEST_RETRY', 'gone'))
    hold[Symbol.dispose]()
    fixture.clock.advance(1000)
    assert.deepEqual([source.attempts, source.holds], [3, 0])
    edge.inlet.hold()[Symbol.dispose]()
    assert.equal(source.holds, 0)
  })

  test('is held before it is subscribed to', async () => {
    using fixture = new RunnerFixture()
    const source = new ScriptedSource({ canHold: true })
    const input = runnerOf(
      fixture,
      inputOf(() => source),
    )
    edgeOf(input).inlet.hold()
    let heldAtSubscribe = -1
    const chunks = source.chunks
    Object.assign(source, {
      chunks: {
        subscribe: (...given: Parameters<typeof chunks.subscribe>) => {
          heldAtSubscribe = source.holds
          return chunks.subscribe(...given)
        },
      },
    })
    await input.start()
    assert.equal(heldAtSubscribe, 1)
    await input.stop('test')
    assert.equal(source.holds, 0)
  })

  test('whose hold throws has failed, and the reader that holds has not', async () => {
    using fixture = new RunnerFixture()
    const source = new ScriptedSource({ canHold: true })
    Object.assign(source, {
      hold: () => {
        throw new Error('cannot')
      },
    })
    const input = runnerOf(
      fixture,
      inputOf(() => source),
    )
    const edge = edgeOf(input)
    await input.start()
    assert.doesNotThrow(() => edge.inlet.hold())
    assert.deepEqual([input.state, input.why], ['failed', 'cannot'])
    await input.stop('test')
  })
})

test('a source that is being stopped is not subscribed to, at whatever stage of its opening', async () => {
  for (let turns = 0; turns < 30; turns++) {
    using fixture = new RunnerFixture()
    const source = new ScriptedSource<Item>()
    const input = runnerOf(
      fixture,
      bytesInputOf(() => Promise.resolve(source)),
    )
    const started = input.start().catch(() => undefined)
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    const before = source.attempts
    await input.stop('test')
    await started
    assert.equal(source.attempts, before, `stopped after ${turns} turns`)
    assert.equal(fixture.clock.pending, 0, `timers are left when stopped after ${turns} turns`)
  }
})
