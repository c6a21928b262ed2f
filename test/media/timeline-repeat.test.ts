// A server that is asked again sends what it has kept: viewers get each packet once, at the times of the source.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs, PTS_WRAP } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import { NULL_PID, readPid } from '@millrace/media/mpegts'
import { checkTs } from '../oracle/check-ts.js'
import { assertSameBytes, concat } from './bytes.js'
import { builtStreams, clips, PACKET } from './streams.js'
import { TimelineHarness } from './timeline-harness.js'

const RECONNECT = { timeline: 'elapsed', mayRepeat: true } as const
const SECOND = 90_000

/** A connection: from where to where in the stream, as shares of it. */
type Life = readonly [from: number, to: number]

const LIVES: Readonly<Record<string, readonly Life[]>> = {
  'three times by a quarter': [
    [0, 0.4],
    [0.15, 0.6],
    [0.35, 0.8],
    [0.55, 1],
  ],
  'by little, and by much': [
    [0, 0.5],
    [0.42, 0.7],
    [0.1, 1],
  ],
  'without anything new in between': [
    [0, 0.5],
    [0.2, 0.45],
    [0.25, 1],
  ],
}

for (const [how, lives] of Object.entries(LIVES)) {
  test(`what a source repeats is dropped: ${how}`, () => {
    for (const [index, { name, bytes }] of builtStreams().entries())
      assertOnce(name, bytes, played(bytes, lives, (index % 2) * 77))
  })
}

test("what a source repeats of ffmpeg's clips is dropped", () => {
  for (const { name, bytes } of clips()) assertOnce(name, bytes, played(bytes, LIVES['three times by a quarter']!, 77))
})

test('a repeat over a wrap of the clock is dropped', () => {
  for (const startPts90k of [PTS_WRAP - SECOND, PTS_WRAP - 2 * SECOND, PTS_WRAP - 3 * SECOND]) {
    const { bytes } = buildTs({ startPts90k, video: { bFrames: 2 } })
    assertOnce(`${startPts90k}`, bytes, played(bytes, LIVES['three times by a quarter']!, 0))
  }
})

test('the times stay those of the source, however often it reconnects', () => {
  const { bytes } = buildTs({ durationS: 30, video: { bitrate: 100_000 } })
  const lives = Array.from({ length: 28 }, (_, index): Life => [index / 30, (index + 3) / 30])
  const harness = played(bytes, lives, 0)
  const end = bytes.subarray(0, Math.floor((bytes.length * 30) / 30 / PACKET) * PACKET)
  assertOnce('28 reconnects', end, harness)
})

test('repeated packets are counted apart from those that a junction costs', () => {
  const { bytes } = buildTs({ durationS: 4 })
  const { timeline, out } = played(bytes, LIVES['three times by a quarter']!, 0)
  const { repeatedPackets, droppedPackets } = timeline.counters
  const received = LIVES['three times by a quarter']!.reduce(
    (sum, life) => sum + cut(bytes, life, 0).length / PACKET,
    0,
  )
  const sent = out.reduce((sum, chunk) => sum + chunk.bytes.length / PACKET, 0)
  assert.ok(repeatedPackets > (bytes.length / PACKET) * 0.5, `${repeatedPackets}`)
  assert.equal(received - sent, repeatedPackets + droppedPackets)
  assert.ok(droppedPackets < 30, `${droppedPackets}`)
})

const OTHERS: Readonly<Record<string, { readonly first: TsPlan; readonly second: TsPlan }>> = {
  'other pictures at the same times': { first: {}, second: { video: { width: 128 } } },
  'another kind of pictures at the same times': { first: {}, second: { video: { keyPicture: 'recoveryPoint' } } },
  'the same pictures later': { first: {}, second: { startPts90k: 900_000 + 10 * SECOND } },
  'the same pictures at other times of the record': { first: {}, second: { startPts90k: 900_000 + 1234 } },
  'other sound at the same times': {
    first: { video: false, audio: { bitrate: 64_000 } },
    second: { video: false, audio: { bitrate: 128_000 } },
  },
}

for (const [name, { first, second }] of Object.entries(OTHERS)) {
  test(`nothing is taken for a repeat: ${name}`, () => {
    const feed = (mayRepeat: boolean): TimelineHarness =>
      new TimelineHarness()
        .feed(buildTs({ durationS: 3, ...first }).bytes, { durationMs: 3000 })
        .nextGeneration({ timeline: 'elapsed', mayRepeat }, 700)
        .feed(buildTs({ durationS: 3, ...second }).bytes, { durationMs: 3000 })
        .end()
    const harness = feed(true)
    assertSameBytes(harness.bytes(), feed(false).bytes())
    assert.equal(harness.timeline.counters.repeatedPackets, 0)
  })
}

test('a file that loops, and a source that may not repeat, are no repeats', () => {
  const { bytes } = buildTs({ durationS: 3 })
  for (const timeline of ['contiguous', 'elapsed'] as const) {
    const harness = new TimelineHarness().feed(bytes, { durationMs: 3000 })
    for (let pass = 0; pass < 2; pass++) harness.nextGeneration({ timeline }).feed(bytes, { durationMs: 3000 })
    harness.end()
    assert.equal(harness.timeline.counters.repeatedPackets, 0)
    assert.ok(harness.bytes().length > 2.9 * bytes.length)
  }
})

test('a recording that a server plays from its start each time is dropped once, then played as it comes', () => {
  const { bytes } = buildTs({ durationS: 3 })
  const harness = new TimelineHarness().feed(bytes, { durationMs: 300 })
  const sizes: number[] = []
  for (let pass = 0; pass < 4; pass++) {
    const before = harness.bytes().length
    harness.nextGeneration(RECONNECT, 1000).feed(bytes, { durationMs: 300 })
    sizes.push((harness.bytes().length - before) / bytes.length)
  }
  harness.end()
  assert.deepEqual(
    sizes.map((share) => share > 0.8),
    [false, true, true, true],
  )
  assert.equal(checkTs(harness.bytes()).continuityErrors, 0)
})

test('a source that once broke off where it had ended before is no recording for ever', () => {
  const { bytes } = buildTs({ durationS: 10, video: { bitrate: 100_000 } })
  const harness = played(
    bytes,
    [
      [0, 0.3],
      [0.2, 0.3],
      [0.2, 0.5],
      [0.4, 0.7],
    ],
    0,
  )
  const { repeatedPackets } = harness.timeline.counters
  const tenth = bytes.length / PACKET / 10
  assert.ok(repeatedPackets > 1.5 * tenth && repeatedPackets < 2.2 * tenth, `${repeatedPackets} of ${tenth}`)
  assert.equal(checkTs(harness.bytes()).continuityErrors, 0)
})

test('a repeat that takes longer than viewers wait is given up: it goes on as another generation', () => {
  const { bytes } = buildTs({ durationS: 20, video: { bitrate: 100_000 } })
  const harness = new TimelineHarness().feed(bytes, { durationMs: 20_000 })
  const before = harness.bytes().length
  harness.nextGeneration(RECONNECT, 500).feed(bytes, { durationMs: 20_000 })
  const report = checkTs(harness.bytes())
  assert.equal(report.continuityErrors, 0)
  for (const { dtsNotIncreasing } of Object.values(report.units)) assert.equal(dtsNotIncreasing, 0)
  const share = (harness.bytes().length - before) / bytes.length
  assert.ok(share > 0.7 && share < 0.78, `${share} of the recording was sent again`)
  assert.deepEqual(
    harness.out.filter(({ discontinuity }) => discontinuity !== false).map(({ discontinuity }) => discontinuity),
    ['source'],
  )
  // It is a recording: from now on nobody waits for its end.
  const { repeatedPackets } = harness.timeline.counters
  for (let pass = 0; pass < 3; pass++) harness.nextGeneration(RECONNECT, 500).feed(bytes, { durationMs: 20_000 })
  assert.equal(harness.timeline.counters.repeatedPackets, repeatedPackets)
})

test('a repeat that ends in other pictures is given up', () => {
  const one = buildTs({ durationS: 4 })
  const other = buildTs({ durationS: 4, video: { width: 128 } })
  const half = Math.floor(one.bytes.length / 4 / PACKET) * PACKET
  const mixed = concat([one.bytes.subarray(0, half), other.bytes.subarray(half)])
  const harness = new TimelineHarness().feed(one.bytes, { durationMs: 4000 })
  harness.nextGeneration(RECONNECT, 100).feed(mixed, { durationMs: 4000 }).end()
  const report = checkTs(harness.bytes())
  assert.equal(report.continuityErrors, 0)
  for (const { dtsNotIncreasing } of Object.values(report.units)) assert.equal(dtsNotIncreasing, 0)
  const { repeatedPackets } = harness.timeline.counters
  assert.ok(repeatedPackets >= half / PACKET - 30 && repeatedPackets < (half / PACKET) * 1.3, `${repeatedPackets}`)
})

/** Each life after the other: what was sent before in a burst, the rest at its pace. */
function played(bytes: Uint8Array, lives: readonly Life[], odd: number): TimelineHarness {
  const harness = new TimelineHarness()
  let known = 0
  for (const [index, life] of lives.entries()) {
    if (index > 0) harness.nextGeneration(RECONNECT, 300)
    const part = cut(bytes, life, odd)
    const end = part.byteOffset - bytes.byteOffset + part.length
    const repeated = Math.max(0, Math.min(part.length, known - (part.byteOffset - bytes.byteOffset)))
    if (repeated > 0) harness.feed(part.subarray(0, repeated), { durationMs: 50, piece: 16_384 })
    if (repeated < part.length) harness.feed(part.subarray(repeated), { durationMs: 1000 })
    known = Math.max(known, end)
  }
  return harness.end()
}

function cut(bytes: Uint8Array, [from, to]: Life, odd: number): Uint8Array {
  const at = (share: number): number => Math.floor((bytes.length * share) / PACKET) * PACKET
  return bytes.subarray(at(from), to === 1 ? bytes.length : at(to) + odd)
}

/** Every packet of pictures, sound and data as in the source, and tables without an error. */
function assertOnce(name: string, source: Uint8Array, harness: TimelineHarness): void {
  const sent = harness.bytes()
  const report = checkTs(sent)
  assert.equal(report.continuityErrors, 0, name)
  assert.equal(report.crcErrors, 0, name)
  assert.deepEqual(report.clocks, checkTs(source).clocks, name)
  const once = packetsByPid(source)
  for (const [pid, packets] of packetsByPid(sent)) {
    if (pid === NULL_PID || report.tables[pid] !== undefined) continue
    assertSameBytes(concat(packets), concat(once.get(pid) ?? []), `${name}: PID ${pid}`)
  }
  assert.deepEqual(
    harness.out.filter(({ discontinuity }) => discontinuity !== false),
    [],
    name,
  )
}

function packetsByPid(bytes: Uint8Array): Map<number, Uint8Array[]> {
  const byPid = new Map<number, Uint8Array[]>()
  for (let at = 0; at + PACKET <= bytes.length; at += PACKET) {
    const pid = readPid(bytes, at)
    const packets = byPid.get(pid)
    if (packets === undefined) byPid.set(pid, [bytes.subarray(at, at + PACKET)])
    else packets.push(bytes.subarray(at, at + PACKET))
  }
  return byPid
}
