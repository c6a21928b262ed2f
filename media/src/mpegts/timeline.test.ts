import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TsChunk } from './chunk.js'
import { Framer } from './framer.js'
import { readCounter, readPid, PACKET_SIZE } from './packet.js'
import { AUDIO_PID, joined, packetOf, pesOf, tablesOf } from './packets.test.kit.js'
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
