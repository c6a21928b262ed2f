import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TrackScan } from '@millrace/media/formats'
import {
  hasPayload,
  isUnitStart,
  mod33,
  PACKET_SIZE,
  payloadOffset,
  pesPacketLength,
  readCounter,
  readPid,
  readPts,
} from '@millrace/media/mpegts'
import fc from 'fast-check'
import { SilentAudio } from './silent-audio.js'

const PID = 0x1abc
const TRACK = { pid: PID, streamType: 0x0f, media: 'audio', codec: 'aac', language: '', parameterSets: 0 } as const
/** An ADTS header: AAC LC, stereo. */
const headerOf = (sampling: number): Uint8Array =>
  Uint8Array.of(0xff, 0xf1, 0x40 | (sampling << 2), 0x80, 2, 0x1f, 0xfc)

function scanOf(more: Partial<TrackScan>): TrackScan {
  const times = { firstPts90k: 0, lastPts90k: 0, step90k: 1920, lastCounter: 5 }
  return { track: TRACK, units: 1, elementary: headerOf(3), ...times, ...more }
}

test('silence is whole PES packets on end, in a multiple of 16 packets with continuous counters, over the wrap too', () => {
  const segment = fc.record({
    ticks: fc.integer({ min: 10_000, max: 1_000_000 }),
    counter: fc.integer({ min: -1, max: 15 }),
  })
  const plan = fc.record({
    start90k: fc.integer({ min: 0, max: 2 ** 33 - 1 }),
    lag: fc.integer({ min: -40_000, max: 90_000 }),
    sampling: fc.integer({ min: 0, max: 11 }),
    segments: fc.array(segment, { minLength: 1, maxLength: 5 }),
  })
  fc.assert(
    fc.property(plan, ({ start90k, lag, sampling, segments }) => {
      const silent = new SilentAudio(PID)
      const times = { firstPts90k: mod33(start90k - lag), lastPts90k: mod33(start90k - lag + 100_000) }
      silent.note(scanOf({ ...times, elementary: headerOf(sampling) }), { start90k, ticks: 102_000 })
      assert.equal(silent.isReady, true)
      let at90k = mod33(start90k + 102_000)
      let counter = 5
      for (const { ticks, counter: last } of segments) {
        const packets = silent.fill({ start90k: at90k, ticks }, last)
        if (last >= 0) counter = last
        assert.equal(packets.length % (16 * PACKET_SIZE), 0)
        assertPackets(packets, counter)
        at90k = mod33(at90k + ticks)
      }
    }),
    { numRuns: 200 },
  )
})

function assertPackets(packets: Uint8Array, before: number): void {
  let counter = before
  let missing = 0
  for (let at = 0; at < packets.length; at += PACKET_SIZE) {
    assert.equal(readPid(packets, at), PID)
    assert.equal(hasPayload(packets, at), true)
    counter = (counter + 1) & 15
    assert.equal(readCounter(packets, at), counter)
    const payload = payloadOffset(packets, at)
    assert.ok(payload < at + PACKET_SIZE, 'some payload')
    if (isUnitStart(packets, at)) {
      assert.equal(missing, 0, 'the unit before it is whole')
      missing = pesPacketLength(packets, payload, at + PACKET_SIZE) + 6
    }
    missing -= at + PACKET_SIZE - payload
  }
  assert.equal(missing, 0)
}

test('silence goes on from the last frame, and ends where the sound of the segment would', () => {
  const silent = new SilentAudio(PID)
  // The sound is a second behind the pictures, and stops a second before its segment ends.
  const lag = 90_000
  silent.note(scanOf({ firstPts90k: 900_000 - lag, lastPts90k: 900_000 }), { start90k: 900_000, ticks: 180_000 })
  const times: number[] = []
  let frames = 0
  for (const start90k of [1_080_000, 1_260_000]) {
    const packets = silent.fill({ start90k, ticks: 180_000 }, -1)
    for (let at = 0; at < packets.length; at += PACKET_SIZE) {
      if (isUnitStart(packets, at)) times.push(readPts(packets, payloadOffset(packets, at), at + PACKET_SIZE))
    }
    for (let at = 0; at + 1 < packets.length; at++) if (packets[at] === 0xff && packets[at + 1] === 0xf1) frames++
  }
  assert.equal(times[0], 901_920)
  const end = 1_440_000 - lag
  assert.ok(Math.abs(times[0]! + frames * 1920 - end) < 2 * 1920, `${frames} frames`)
})

test('without a frame to go on from there is none', () => {
  const silent = new SilentAudio(PID)
  assert.equal(silent.fill({ start90k: 0, ticks: 180_000 }, 3).length, 0)
  silent.note(scanOf({ elementary: Uint8Array.of(0xff, 0xff, 0xff) }), { start90k: 0, ticks: 1 })
  assert.equal(silent.isReady, false)
  silent.note(scanOf({ lastPts90k: -1 }), { start90k: 0, ticks: 1 })
  assert.equal(silent.isReady, false)
})
