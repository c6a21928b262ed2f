import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TsChunk } from './chunk.js'
import { HAS_PCR, MARK_SIZE, PSI, UNIT_START } from './marks.js'
import { joined } from './packets.test.kit.js'
import { writePcrBase } from './pcr.js'
import { PcrPacer } from './pcr-pacer.js'
import { packetise, renderPat, renderPmt } from './render-psi.js'

const LATENCY_MS = 200
const TICK_MS = 5
const DURATION_MS = 6000
const PACKETS_PER_MS = 3
const BYTES_PER_MS = PACKETS_PER_MS * 188
const PCR_EVERY_MS = 20
/** So that the clock wraps in the middle. */
const FIRST_PCR_90K = 2 ** 33 - (DURATION_MS / 2) * 90

interface Piece {
  readonly atMs: number
  readonly bytes: number
}

interface Burst {
  readonly nowMs: number
  readonly chunks: readonly TsChunk[]
}

/** Bursts of a stream of constant rate; `lateMs` is by how much each comes later than it should, in the order of time. */
function arrivals(burstMs: number, lateMs: (atMs: number) => number = () => 0, firstPcr90k = FIRST_PCR_90K): Burst[] {
  const bursts: Burst[] = []
  for (let atMs = burstMs; atMs <= DURATION_MS; atMs += burstMs) {
    const nowMs = Math.max(bursts.at(-1)?.nowMs ?? 0, 1000 + atMs + lateMs(atMs))
    bursts.push({ nowMs, chunks: [chunkOf(atMs - burstMs, burstMs, nowMs, firstPcr90k)] })
  }
  return bursts
}

/** The part of the stream from `fromMs` on. */
function chunkOf(fromMs: number, durationMs: number, nowMs: number, firstPcr90k: number): TsChunk {
  const bytes = new Uint8Array(durationMs * BYTES_PER_MS)
  const marks: number[] = []
  for (let offset = 0; offset < bytes.length; offset += 188) {
    bytes.set([0x47, 0x01, 0x00, 0x10], offset)
    const atMs = fromMs + offset / BYTES_PER_MS
    if (atMs % PCR_EVERY_MS !== 0) continue
    // Adaptation field only, with a PCR.
    bytes.set([0x47, 0x01, 0x00, 0x20, 183, 0x10], offset)
    writePcrBase(bytes, offset, (firstPcr90k + atMs * 90) % 2 ** 33)
    marks.push(offset, 0x100, HAS_PCR, 0)
  }
  assert.equal(marks.length % MARK_SIZE, 0)
  const origin = { generation: 0, seq: fromMs }
  return {
    kind: 'ts',
    bytes,
    origin,
    receivedAtMs: nowMs,
    discontinuity: false,
    randomAccess: false,
    marks: Int32Array.from(marks),
  }
}

/** What is sent in each tick. */
function run(bursts: readonly Burst[], pacer = new PcrPacer(), canWait = false): Piece[] {
  const sent: Piece[] = []
  const queue = [...bursts]
  for (let nowMs = 1000; queue.length > 0 || !pacer.isEmpty; nowMs += TICK_MS) {
    while (queue[0] !== undefined && queue[0].nowMs <= nowMs) {
      for (const chunk of queue.shift()?.chunks ?? []) pacer.push(chunk, nowMs, LATENCY_MS, canWait)
    }
    let bytes = 0
    pacer.take(nowMs, (_, start, end) => (bytes += end - start))
    sent.push({ atMs: nowMs, bytes })
  }
  return sent
}

const NO_BYTES = new Uint8Array(0)

/** A PAT and the PMTs of two programs, one of them with video; clocks 0x101 and 0x100. */
function tablesChunk(videoPid = 0x100): TsChunk {
  const version = { version: 0, current: true }
  const position = { sectionNumber: 0, lastSectionNumber: 0, networkPid: undefined, transportStreamId: 1 }
  const programs = [1, 2].map((program) => ({ program, pmtPid: 0x1000 + program }))
  const pmtOf = (program: number, pid: number): Uint8Array => {
    const streams = [{ pid, streamType: pid === videoPid ? 0x1b : 0x0f, descriptors: NO_BYTES }]
    return packetise(
      renderPmt({ ...version, program, pcrPid: pid, descriptors: NO_BYTES, streams }),
      0x1000 + program,
      0,
    )
  }
  const pat = packetise(renderPat({ ...version, ...position, programs }), 0, 0)
  const bytes = joined(pat, pmtOf(1, 0x101), pmtOf(2, 0x100))
  const pids = [0, 0x1001, 0x1002]
  const marks = Int32Array.from(pids.flatMap((pid, index) => [index * 188, pid, PSI | UNIT_START, 0]))
  return { ...chunkOf(0, 0, 1000, 0), bytes, marks }
}

/** In each chunk, in front of its own clock, that of the PID 0x101, which runs at this pace. */
function withClock(bursts: readonly Burst[], pace: number): Burst[] {
  return bursts.map(({ nowMs, chunks: [chunk] }) => {
    const first = new Uint8Array(188)
    first.set([0x47, 0x01, 0x01, 0x20, 183, 0x10])
    writePcrBase(first, 0, Math.round((nowMs - 1000) * 90 * pace))
    const marks = chunk!.marks.map((value, at) => (at % MARK_SIZE === 0 ? value + 188 : value))
    const all = Int32Array.from([0, 0x101, HAS_PCR, 0, ...marks])
    return { nowMs, chunks: [{ ...chunk!, bytes: joined(first, chunk!.bytes), marks: all }] }
  })
}

function total(sent: readonly Piece[]): number {
  return sent.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** The most bytes within any `overMs`, compared with the rate of the stream. */
function peak(sent: readonly Piece[], overMs: number, fromMs = 0): number {
  const ticks = overMs / TICK_MS
  const later = sent.filter(({ atMs }) => atMs >= fromMs)
  const sums = later.map((_, at) => total(later.slice(at, at + ticks)))
  return Math.max(...sums) / (overMs * BYTES_PER_MS)
}

describe('the pacer', () => {
  for (const burstMs of [20, 50, 100, 200]) {
    test(`sends bursts of ${burstMs} ms evenly, every byte once, within the latency`, () => {
      const pacer = new PcrPacer()
      const sent = run(arrivals(burstMs), pacer)
      assert.equal(total(sent), DURATION_MS * BYTES_PER_MS)
      assert.equal(pacer.anchors, 1)
      assert.ok(peak(sent, 50) < 1.2, `peak ${peak(sent, 50)}`)
      assert.ok(lastOf(sent) <= 7000 + LATENCY_MS + burstMs, `the last byte left at ${lastOf(sent)}`)
    })
  }

  test('goes by the clock of the program that leads, not by the first one', () => {
    const pacer = new PcrPacer()
    const bursts = withClock(arrivals(100), 1 / 4)
    const sent = run([{ nowMs: 1000, chunks: [tablesChunk()] }, ...bursts], pacer)
    assert.ok(pacer.anchors <= 2, `mapped anew ${pacer.anchors} times`)
    assert.ok(peak(sent, 50, 1500) < 1.25, `peak ${peak(sent, 50, 1500)}`)
  })

  for (const [name, fromMs] of [
    ['from the start', 0],
    ['after it came late', 2000],
  ] as const) {
    test(`goes by another clock where that of the program that leads stands still ${name}`, () => {
      const pacer = new PcrPacer()
      const bursts = arrivals(100)
      const stillFrom = bursts.findIndex(({ nowMs }) => nowMs > 1000 + fromMs)
      const all = [...bursts.slice(0, stillFrom), ...withClock(bursts.slice(stillFrom), 0)]
      const sent = run([{ nowMs: 1000, chunks: [tablesChunk(0x101)] }, ...all], pacer)
      assert.ok(pacer.anchors <= 2, `mapped anew ${pacer.anchors} times`)
      assert.ok(peak(sent, 50, 2500) < 1.25, `peak ${peak(sent, 50, 2500)}`)
      assert.equal(total(sent), total(asTheyCome(all)) + 3 * 188)
    })
  }

  test('goes by another clock when that of the program that leads stops in the middle', () => {
    const pacer = new PcrPacer()
    const bursts = arrivals(100)
    const all = [...withClock(bursts.slice(0, 20), 1), ...withClock(bursts.slice(20), 0)]
    const sent = run([{ nowMs: 1000, chunks: [tablesChunk(0x101)] }, ...all], pacer)
    assert.ok(pacer.anchors <= 4, `mapped anew ${pacer.anchors} times`)
    assert.ok(peak(sent, 50, 4500) < 1.25, `peak ${peak(sent, 50, 4500)}`)
  })

  test('evens out jitter that is shorter than the latency', () => {
    const pacer = new PcrPacer()
    const late = arrivals(50, (atMs) => (atMs % 300 === 0 ? 120 : 0))
    const sent = run(late, pacer)
    assert.equal(pacer.anchors, 1)
    assert.ok(peak(sent, 50) < 1.25, `peak ${peak(sent, 50)}; that of the source is ${peak(asTheyCome(late), 50)}`)
  })

  test('a source that stalls for longer than the latency is sent evenly from then on', () => {
    const pacer = new PcrPacer()
    const sent = run(
      arrivals(50, (atMs) => (atMs > 3000 ? 1500 : 0)),
      pacer,
    )
    assert.ok(pacer.anchors === 2, `${pacer.anchors} anchors`)
    assert.ok(peak(sent, 100) < 1.6, `peak ${peak(sent, 100)}`)
    assert.equal(total(sent), DURATION_MS * BYTES_PER_MS)
  })

  test('a source that is far ahead of time is not held for longer than twice the latency', () => {
    const early = arrivals(50).map((burst) => ({ ...burst, nowMs: 1000 + (burst.nowMs - 1000) / 10 }))
    const sent = run(early)
    assert.ok(lastOf(sent) < 1600 + 3 * LATENCY_MS, `the last byte left at ${lastOf(sent)}`)
    assert.equal(total(sent), DURATION_MS * BYTES_PER_MS)
  })

  test('a source that is far ahead of time and can wait is sent at the rate of its clock', () => {
    const early = arrivals(50).map((burst) => ({ ...burst, nowMs: 1000 + (burst.nowMs - 1000) / 10 }))
    const sent = run(early, new PcrPacer(), true)
    assert.ok(peak(sent, 500) < 1.6, `peak ${peak(sent, 500)}`)
  })

  test('without PCR, bytes leave as far apart as they came', () => {
    const bursts = arrivals(50).map(({ nowMs, chunks }) => ({
      nowMs,
      chunks: chunks.map((chunk) => ({ ...chunk, marks: new Int32Array(0) })),
    }))
    const sent = run(bursts)
    assert.ok(peak(sent, 100) < 1.7, `peak ${peak(sent, 100)}`)
    assert.ok(lastOf(sent) <= 7000 + LATENCY_MS + 10, `the last byte left at ${lastOf(sent)}`)
  })

  test('a jump of the clock of the stream continues where the last byte was planned', () => {
    const pacer = new PcrPacer()
    const second = arrivals(50, () => DURATION_MS, 12_345)
    const sent = run([...arrivals(50), ...second], pacer)
    assert.equal(pacer.anchors, 2)
    assert.ok(peak(sent, 100) < 1.3, `peak ${peak(sent, 100)}`)
    assert.equal(total(sent), 2 * DURATION_MS * BYTES_PER_MS)
  })

  test('a clock that is 100 ppm fast or slow is followed', () => {
    for (const factor of [0.9999, 1.0001]) {
      const pacer = new PcrPacer()
      run(
        arrivals(50, (atMs) => atMs * (factor - 1)),
        pacer,
      )
      assert.equal(pacer.anchors, 1)
    }
  })
})

function lastOf(sent: readonly Piece[]): number {
  return sent.findLast(({ bytes }) => bytes > 0)?.atMs ?? 0
}

function asTheyCome(bursts: readonly Burst[]): Piece[] {
  return bursts.map(({ nowMs, chunks }) => ({
    atMs: nowMs,
    bytes: chunks.reduce((sum, { bytes }) => sum + bytes.length, 0),
  }))
}

test('packets are never split, however slowly they are due', () => {
  const pacer = new PcrPacer()
  for (const { nowMs, chunks } of arrivals(500)) for (const chunk of chunks) pacer.push(chunk, nowMs, LATENCY_MS, false)
  const pieces: number[] = []
  for (let nowMs = 1000; !pacer.isEmpty; nowMs += 0.1) {
    pacer.take(nowMs, (_, start, end) => void pieces.push(start % 188, end % 188))
  }
  assert.ok(pieces.length > 100)
  assert.deepEqual(new Set(pieces), new Set([0]))
})
