import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE, PACKET_SIZE, readPts, UNIT_START } from '@millrace/media/mpegts'
import { payloadOffset } from '@millrace/media/mpegts'
import { Subject } from 'rxjs'
import type { AnyChunk, Received, Transform } from '../../plugin/contract.js'
import { defineTransform } from '../../plugin/define.js'
import { buildTs } from '../../testing/index.js'
import { flushPromises, RunnerFixture, settings, testError } from '../run.test.kit.js'
import { common } from '../scripted-nodes.test.kit.js'
import { TransformRunner } from './transform-runner.js'

const NAMES = ['hd', 'sd'] as const
const VIDEO_PID = 0x100
const { bytes: STREAM } = buildTs({ durationS: 2 })

/** A transcoder with two renditions, whose bytes the test emits. */
class TranscoderHarness implements AsyncDisposable {
  readonly fixture = new RunnerFixture()
  readonly runner: TransformRunner
  readonly got: Readonly<Record<string, AnyChunk[]>> = { hd: [], sd: [] }
  readonly completed = new Set<string>()
  opened = 0
  outlets: Readonly<Record<string, Subject<AnyChunk | Received>>> = {}

  constructor() {
    const definition = defineTransform({
      ...common,
      type: 'test-transcoder',
      consumes: ['ts'],
      inlets: 'one',
      ports: NAMES.map((name) => ({ name, kind: 'bytes' as const })),
      open: (): Transform => {
        this.opened++
        this.outlets = { hd: new Subject(), sd: new Subject() }
        return { apply: () => this.outlets, [Symbol.asyncDispose]: () => Promise.resolve() }
      },
    })
    this.runner = new TransformRunner(settings('one/enc', definition), this.fixture.services)
    for (const name of NAMES) {
      const complete = (): void => void this.completed.add(name)
      this.runner.port(name).connect({ push: (chunk) => this.got[name]?.push(chunk), complete })
    }
  }

  static async open(): Promise<TranscoderHarness> {
    const harness = new TranscoderHarness()
    await harness.runner.start()
    return harness
  }

  emit(name: string, ...items: readonly Received[]): void {
    for (const item of items) this.outlets[name]?.next(item)
  }

  /** The next batch. */
  flush(): void {
    this.fixture.clock.advance(50)
    this.fixture.clock.advance(50)
  }

  /** The node fails, and is opened again. */
  async restart(): Promise<void> {
    const before = this.opened
    this.runner.fail(testError('TEST_RETRY', 'the encoder has died'))
    this.fixture.clock.advance(5000)
    await flushPromises()
    assert.equal(this.opened, before + 1)
  }

  chunks(name: string, generation: number): AnyChunk[] {
    return this.got[name]?.filter(({ origin }) => origin.generation === generation) ?? []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runner.stop('test')
    this.fixture[Symbol.dispose]()
  }
}

/** PTS of the pictures. */
function picturesOf(chunks: readonly AnyChunk[]): number[] {
  return chunks.flatMap(({ bytes, marks }) => {
    const found: number[] = []
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if (marks[at + MARK_PID] !== VIDEO_PID || (marks[at + MARK_FLAGS]! & UNIT_START) === 0) continue
      const offset = marks[at + MARK_OFFSET]!
      found.push(readPts(bytes, payloadOffset(bytes, offset), offset + PACKET_SIZE))
    }
    return found
  })
}

describe('ports of kind bytes', () => {
  test('are framed: whole packets, in chunks that begin at random access points, byte for byte', async () => {
    await using harness = await TranscoderHarness.open()
    for (let at = 0; at < STREAM.length; at += 1000) harness.emit('hd', STREAM.subarray(at, at + 1000))
    harness.outlets['hd']?.complete()
    assert.deepEqual(Buffer.concat(harness.chunks('hd', 0).map(({ bytes }) => bytes)), Buffer.from(STREAM))
    assert.ok(harness.chunks('hd', 0).filter((chunk) => chunk.kind === 'ts' && chunk.randomAccess).length > 1)
    assert.deepEqual([harness.got['sd'], [...harness.completed], harness.runner.state], [[], ['hd'], 'ready'])
    assert.equal(harness.runner.sentBytes, STREAM.length)
    harness.outlets['sd']?.complete()
    assert.deepEqual([[...harness.completed], harness.runner.state], [['hd', 'sd'], 'ended'])
  })

  test('have one offset after a restart: pictures that belong together keep equal times', async () => {
    await using harness = await TranscoderHarness.open()
    harness.emit('hd', STREAM)
    // The other rendition is behind when the encoder dies.
    harness.emit('sd', STREAM.subarray(0, Math.floor(STREAM.length / 376) * 188))
    harness.flush()
    await harness.restart()
    harness.emit('hd', STREAM)
    harness.flush()
    assert.deepEqual(harness.chunks('hd', 1), [], 'it waits for the other rendition')
    harness.emit('sd', STREAM)
    for (let count = 0; count < 3; count++) harness.flush()
    const [hd = [], sd = []] = NAMES.map((name) => picturesOf(harness.chunks(name, 1)))
    assert.ok(hd.length > 40)
    assert.deepEqual(sd, hd)
    for (const name of NAMES) {
      const last = Math.max(...picturesOf(harness.chunks(name, 0)))
      assert.ok(Math.min(...hd) > last, 'no clock goes back')
      const marked = harness.got[name]?.filter(({ discontinuity }) => discontinuity !== false)
      assert.deepEqual(
        marked?.map(({ origin, discontinuity }) => [origin.generation, discontinuity]),
        [[1, 'source']],
      )
      const seqs = harness.got[name]?.map(({ origin }) => origin.seq)
      assert.deepEqual(seqs, [...(seqs?.keys() ?? [])])
    }
  })

  test('begin a generation together when one of them emits a boundary', async () => {
    await using harness = await TranscoderHarness.open()
    for (const name of NAMES) harness.emit(name, STREAM)
    harness.emit('sd', { boundary: true, timeline: 'contiguous' })
    for (const name of NAMES) harness.emit(name, STREAM)
    for (let count = 0; count < 3; count++) harness.flush()
    const [hd = [], sd = []] = NAMES.map((name) => picturesOf(harness.chunks(name, 1)))
    assert.deepEqual(sd, hd)
    // One frame, or what the audio needs to continue.
    const step = Math.min(...hd) - Math.max(...picturesOf(harness.chunks('hd', 0)))
    assert.ok(step >= 3600 && step < 7200, String(step))
  })

  test('take the time of arrival, and refuse chunks', async () => {
    await using harness = await TranscoderHarness.open()
    const startMs = harness.fixture.clock.nowMs()
    harness.fixture.clock.advance(40)
    harness.emit('hd', { bytes: STREAM.subarray(0, 188 * 20), receivedAtMs: startMs + 7 })
    harness.flush()
    assert.equal(harness.got['hd']?.[0]?.receivedAtMs, startMs + 7)
    const [chunk] = harness.got['hd'] ?? []
    harness.outlets['sd']?.next(chunk!)
    await flushPromises()
    assert.deepEqual(
      [harness.runner.state, /kind bytes has emitted a ts chunk/.test(harness.runner.why)],
      ['failed', true],
    )
  })

  test('keep counters of continuity across a restart', async () => {
    await using harness = await TranscoderHarness.open()
    for (let run = 0; run < 3; run++) {
      for (const name of NAMES) harness.emit(name, STREAM)
      for (let count = 0; count < 3; count++) harness.flush()
      await harness.restart()
    }
    const { packets, errors } = countersOf(harness.got['sd'] ?? [])
    assert.ok(packets > 2.9 * (STREAM.length / PACKET_SIZE))
    assert.equal(errors, 0)
  })
})

function countersOf(chunks: readonly AnyChunk[]): { packets: number; errors: number } {
  const last = new Map<number, number>()
  let [packets, errors] = [0, 0]
  for (const { bytes } of chunks) {
    for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
      const pid = ((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!
      packets++
      if (pid === 0x1fff || (bytes[at + 3]! & 0x10) === 0) continue
      const counter = bytes[at + 3]! & 15
      const before = last.get(pid)
      if (before !== undefined && counter !== ((before + 1) & 15)) errors++
      last.set(pid, counter)
    }
  }
  return { packets, errors }
}
