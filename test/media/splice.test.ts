import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs, joinTs } from '@millrace/engine/testing'
import { readPid, SpliceTracker } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { checkTs } from '../oracle/check-ts.js'
import type { TsReport } from '../oracle/check-ts.js'
import { seeded } from '../fuzz/seeded.js'
import { concat } from './bytes.js'
import { frame } from './frame.js'
import { TimelineHarness } from './timeline-harness.js'
import { allStreams, PACKET } from './streams.js'

interface Entry {
  readonly chunk: TsChunk
  readonly preamble: Uint8Array
  readonly bridge: Uint8Array
}

/** How many starts and skips are tested per stream. */
const MAX_CASES = 25

for (const { name, bytes, hasVideo } of allStreams()) {
  test(`a viewer that starts at or skips to a random access point gets a clean stream: ${name}`, () => {
    assertSplices(spliced(frame(bytes, { piece: 20 * PACKET, flushEvery: 4 }).chunks), hasVideo)
  })
}

test('starts and skips are clean across loops and reconnects', () => {
  const { bytes } = buildTs({ durationS: 3, video: { bFrames: 2 }, pmtPackets: 2 })
  const harness = new TimelineHarness().feed(bytes, { durationMs: 3000 }).nextGeneration({ timeline: 'contiguous' })
  harness.feed(bytes.subarray(0, bytes.length - 999), { durationMs: 3000 }).nextGeneration({ timeline: 'elapsed' }, 700)
  harness.feed(bytes.subarray(50_000), { durationMs: 2000 }).end()
  assertSplices(spliced(harness.out), true)
})

test('starts and skips are clean where the tables change', () => {
  const one = buildTs({ durationS: 2 })
  const next = { startPts90k: one.endPts90k, startCounters: one.nextCounters }
  const two = buildTs({ durationS: 2, ...next, pmtVersion: 1, psi: { version: 1 }, pmtPid: 0x1001, audio: [{}, {}] })
  const entries = spliced(frame(joinTs(one, two).bytes, { piece: 20 * PACKET, flushEvery: 4 }).chunks)
  for (const { report } of starts(entries)) assertClean(report)
  for (const { report } of skips(entries)) assertClean(report)
})

test('a viewer that starts at any chunk gets no continuity or CRC errors', () => {
  for (const { name, bytes } of allStreams()) {
    const entries = spliced(frame(bytes.subarray(0, 200_000), { piece: 20 * PACKET, flushEvery: 1 }).chunks)
    for (let at = 0; at < entries.length; at += 7) {
      const report = checkTs(concat([entries[at]?.preamble ?? new Uint8Array(0), ...rest(entries, at)]))
      assert.equal(report.continuityErrors, 0, name)
      assert.equal(report.crcErrors, 0, name)
    }
  }
})

test('a bridge over what was lost announces the counters of what comes next', () => {
  const { chunks } = frame(buildTs({ durationS: 3, video: { bFrames: 2 } }).bytes, {
    piece: 40 * PACKET,
    flushEvery: 4,
  })
  const points = chunks.flatMap(({ randomAccess }, at) => (randomAccess && at > 2 ? [at] : []))
  assert.ok(points.length > 0)
  for (const [index, at] of points.entries()) {
    const tracker = new SpliceTracker()
    // None of what is missing is a multiple of 16 packets.
    const before = chunks.slice(0, 1 + (index % 2))
    for (const chunk of before) tracker.follow(chunk)
    const [next, ...more] = chunks.slice(at)
    tracker.resume(next!)
    const bridged = [tracker.bridge(next), next!.bytes, ...more.map(({ bytes }) => bytes)]
    const report = checkTs(concat([...before.map(({ bytes }) => bytes), ...bridged]))
    const counted = new Set(pidsOf(next!.bytes))
    for (const [pid, errors] of Object.entries(report.continuityErrorsByPid))
      assert.equal(counted.has(Number(pid)) ? errors : 0, 0, `${pid} at chunk ${at}`)
  }
})

test('the splice buffers are empty before the first chunk', () => {
  const tracker = new SpliceTracker()
  assert.equal(tracker.preamble().length, 0)
  assert.equal(tracker.bridge().length, 0)
})

function pidsOf(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length / PACKET }, (_, at) => readPid(bytes, at * PACKET))
}

/** As in delivery: the splice buffers for the position before each chunk. */
function spliced(chunks: readonly TsChunk[]): Entry[] {
  const tracker = new SpliceTracker()
  return chunks.map((chunk) => {
    const entry = { chunk, preamble: tracker.preamble(), bridge: tracker.bridge() }
    tracker.follow(chunk)
    return entry
  })
}

function assertSplices(entries: readonly Entry[], hasVideo: boolean): void {
  const first = entries.findIndex(({ chunk }) => chunk.randomAccess)
  assert.ok(first >= 0)
  for (const { at, report } of starts(entries)) {
    assertClean(report)
    assert.equal(report.startsWithPat, true)
    assert.equal(report.psiBeforeFirstUnit, true, `PSI before units, start at chunk ${at}`)
    if (hasVideo) assert.equal(report.firstVideoUnit?.keyPicture, true, `key picture, start at chunk ${at}`)
  }
  for (const { report } of skips(entries)) assertClean(report)
}

function starts(entries: readonly Entry[]): { at: number; report: TsReport }[] {
  const points = entries.flatMap(({ chunk }, at) => (chunk.randomAccess ? [at] : []))
  return spread(points).map((at) => {
    const preamble = entries[at]?.preamble ?? new Uint8Array(0)
    return { at, report: checkTs(concat([preamble, ...rest(entries, at)])) }
  })
}

/** From the end of any chunk to any later random access point. */
function skips(entries: readonly Entry[]): { report: TsReport }[] {
  const pairs: [number, number][] = []
  for (const [to, { chunk }] of entries.entries()) {
    for (let from = 0; from < to && chunk.randomAccess; from++) pairs.push([from, to])
  }
  return spread(pairs).map(([from, to]) => {
    const seen = entries.slice(0, from + 1).map(({ chunk }) => chunk.bytes)
    const bridge = entries[to]?.bridge ?? new Uint8Array(0)
    assert.ok(bridge.length > 0 && bridge.length % PACKET === 0)
    return { report: checkTs(concat([...seen, bridge, ...rest(entries, to)])) }
  })
}

function rest(entries: readonly Entry[], from: number): Uint8Array[] {
  return entries.slice(from).map(({ chunk }) => chunk.bytes)
}

function assertClean(report: TsReport): void {
  assert.equal(report.continuityErrors, 0, JSON.stringify(report.continuityErrorsByPid))
  assert.equal(report.syncErrors, 0)
  assert.equal(report.crcErrors, 0)
  for (const units of Object.values(report.units)) {
    assert.equal(units.dtsNotIncreasing, 0)
    assert.equal(units.wrongLength, 0)
  }
}

/** At most MAX_CASES, randomly spread. */
function spread<T>(all: readonly T[]): readonly T[] {
  const random = seeded(all.length)
  if (all.length <= MAX_CASES) return all
  return Array.from({ length: MAX_CASES }, () => all[Math.floor(random() * all.length)]).filter(
    (item): item is T => item !== undefined,
  )
}
