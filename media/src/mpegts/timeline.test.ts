import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TsChunk } from './chunk.js'
import { Framer } from './framer.js'
import { readCounter, readPid, PACKET_SIZE } from './packet.js'
import { AUDIO_PID, joined, packetOf, pesOf, tablesOf, VIDEO_PID } from './packets.test.kit.js'
import { readPts } from './pes.js'
import { Timeline } from './timeline.js'

/** Audio from `pts` on, after the tables; one packet per unit. */
function audioOf(pts: number, count: number, counter = 0): Uint8Array {
  const units = Array.from({ length: count }, (_, index) =>
    packetOf({
      pid: AUDIO_PID,
      counter: counter + index,
      unitStart: true,
      payload: pesOf(0xc0, pts + index * 1920, 178),
    }),
  )
  return joined(tablesOf(counter, false), ...units)
}

function chunksOf(bytes: Uint8Array, nowMs: number, generation: number): readonly TsChunk[] {
  const framer = new Framer({ generation })
  return [...framer.push(bytes, nowMs), ...framer.finish(nowMs)]
}

function unitsOf(chunks: readonly TsChunk[]): { pts: number; counter: number }[] {
  const { bytes } = { bytes: joined(...chunks.map((chunk) => chunk.bytes)) }
  const units: { pts: number; counter: number }[] = []
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    if (readPid(bytes, at) !== AUDIO_PID) continue
    units.push({ pts: readPts(bytes, at + 4, at + PACKET_SIZE), counter: readCounter(bytes, at) })
  }
  return units
}

test('a file that loops continues one step later', () => {
  const timeline = new Timeline()
  timeline.endGeneration(chunksOf(audioOf(9000, 4), 0, 0), { timeline: 'contiguous' })
  const out = chunksOf(audioOf(9000, 4), 10_000, 1).flatMap((chunk) => [...timeline.push(chunk)])
  assert.deepEqual(
    unitsOf(out),
    [4, 5, 6, 7].map((index) => ({ pts: 9000 + index * 1920, counter: index })),
  )
})

test('a new connection continues later by the time that has passed', () => {
  const timeline = new Timeline()
  timeline.endGeneration(chunksOf(audioOf(9000, 4), 1000, 0), { timeline: 'elapsed' })
  const out = chunksOf(audioOf(777_777, 2, 9), 3500, 1).flatMap((chunk) => [...timeline.push(chunk)])
  assert.equal(unitsOf(out)[0]?.pts, 9000 + 3 * 1920 + 2500 * 90)
  assert.deepEqual(
    unitsOf(out).map(({ counter }) => counter),
    [4, 5],
  )
})

test('a generation without clocks waits for a second, and no longer', () => {
  const timeline = new Timeline()
  timeline.endGeneration(chunksOf(audioOf(9000, 4), 0, 0), { timeline: 'elapsed' })
  const [tables] = chunksOf(tablesOf(0, false), 5000, 1)
  assert.deepEqual(timeline.push(tables!), [])
  assert.deepEqual(timeline.flush(5999), [])
  const [sent] = timeline.flush(6000)
  assert.equal(sent?.discontinuity, 'source')
  assert.equal(timeline.counters.junctions, 1)
})

test('damaged packets before the first unit of their PID are dropped', () => {
  const timeline = new Timeline()
  timeline.endGeneration(chunksOf(audioOf(9000, 4), 0, 0), { timeline: 'elapsed' })
  const damaged = packetOf({ pid: AUDIO_PID, counter: 12, transportError: true })
  const out = chunksOf(joined(damaged, audioOf(9000, 3)), 100, 1).flatMap((chunk) => [...timeline.push(chunk)])
  assert.deepEqual(
    unitsOf(out).map(({ counter }) => counter),
    [4, 5, 6],
  )
  assert.equal(timeline.counters.droppedPackets, 1)
})

test('what the source lost stays lost', () => {
  const timeline = new Timeline()
  timeline.endGeneration(chunksOf(audioOf(9000, 4), 0, 0), { timeline: 'elapsed' })
  const lossy = joined(audioOf(9000, 2), audioOf(20_000, 2, 7).subarray(2 * PACKET_SIZE))
  const out = chunksOf(lossy, 100, 1).flatMap((chunk) => [...timeline.push(chunk)])
  assert.deepEqual(
    unitsOf(out).map(({ counter }) => counter),
    [4, 5, 11, 12],
  )
})

/** An adaptation field with this PCR. */
function pcrField(base: number): number[] {
  return [
    0x10,
    (base >>> 25) & 0xff,
    (base >>> 17) & 0xff,
    (base >>> 9) & 0xff,
    (base >>> 1) & 0xff,
    ((base & 1) << 7) | 0x7e,
    0,
  ]
}

/** A unit of video with a PCR. */
function videoOf(counter: number, pcr: number): Uint8Array {
  const payload = pesOf(0xe0, pcr + 9000, 0, [0, 0, 1, 0x65])
  return packetOf({ pid: VIDEO_PID, counter, unitStart: true, field: pcrField(pcr), payload })
}

/** Of each packet of the video, whether it announces a discontinuity. */
function announcedIn(chunks: readonly TsChunk[]): boolean[] {
  const bytes = joined(...chunks.map((chunk) => chunk.bytes))
  const flags: boolean[] = []
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) {
    if (readPid(bytes, at) === VIDEO_PID) flags.push((bytes[at + 5]! & 0x80) !== 0)
  }
  return flags
}

test('a PCR step that the packets dropped at a junction make is announced, and no other one', () => {
  const rest = (counter: number, at: number): Uint8Array => packetOf({ pid: VIDEO_PID, counter, field: pcrField(at) })
  const bare = (at: number): Uint8Array => packetOf({ pid: VIDEO_PID, counter: 7, payload: false, field: pcrField(at) })
  const timeline = new Timeline()
  const before = joined(tablesOf(0), ...[0, 1, 2, 3].map((index) => videoOf(index, 90_000 + index * 3600)))
  timeline.endGeneration(chunksOf(before, 0, 0), { timeline: 'contiguous' })
  // Before the first unit: a PCR without payload, which is sent, and the rest of a unit, which is not.
  const after = joined(
    tablesOf(0),
    bare(500_000),
    rest(8, 503_600),
    rest(9, 507_200),
    videoOf(10, 511_000),
    videoOf(11, 525_000),
  )
  const out = chunksOf(after, 100, 1).flatMap((chunk) => [...timeline.push(chunk)])
  // 122 ms from the first PCR to the unit; the step of 156 ms after that is the source's own.
  assert.deepEqual(announcedIn(out), [false, true, false])
})

test('a PCR that was cut off with the last unit of the old side does not count as sent', () => {
  for (const [spacing, isAnnounced] of [
    [3600, false],
    [5400, true],
  ] as const) {
    const timeline = new Timeline()
    const before = joined(tablesOf(0), ...[0, 1, 2, 3].map((index) => videoOf(index, 90_000 + index * spacing)))
    const old = timeline.endGeneration(chunksOf(before, 0, 0), { timeline: 'elapsed' })
    assert.equal(announcedIn(old).length, 3, 'the last unit is not complete')
    const after = joined(tablesOf(0), ...[0, 1, 2].map((index) => videoOf(index, 500_000 + index * spacing)))
    const out = chunksOf(after, 1, 1).flatMap((chunk) => [...timeline.push(chunk)])
    assert.equal(announcedIn(out)[0], isAnnounced, `${spacing / 90} ms between PCRs`)
  }
})

test('a clock that seems to jump when its source falls silent is held for a second, and no longer', () => {
  const timeline = new Timeline()
  const [first, second, suspect] = [9000, 9000 + 4 * 1920, 9_000_000].map(
    (pts, index) => chunksOf(audioOf(pts, index === 2 ? 1 : 4, index * 4), index * 100, 0)[0]!,
  )
  assert.equal(timeline.push(first!).length, 1)
  assert.equal(timeline.push(second!).length, 1)
  assert.deepEqual(timeline.push(suspect!), [])
  assert.deepEqual(timeline.flush(1199), [])
  assert.deepEqual(
    unitsOf(timeline.flush(1200)).map(({ pts }) => pts),
    [9_000_000],
  )
  assert.deepEqual(timeline.flush(Infinity), [])
})
