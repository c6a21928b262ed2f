import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AUDIO_PID, chunkOf, packetOf, pesOf, tablesOf, VIDEO_PID } from './packets.test.kit.js'
import { ProgramTable } from './program-table.js'
import { loopLength90k, StreamClocks } from './stream-clocks.js'

const STREAM_ID = { [VIDEO_PID]: 0xe0, [AUDIO_PID]: 0xc0, 0x110: 0xbd } as const

/** The clocks of units with these times; `length` is PES_packet_length. */
function clocksOf(units: readonly { pid: keyof typeof STREAM_ID; pts: number; length?: number }[]): StreamClocks {
  const packets = units.map(({ pid, pts, length = 0 }, counter) =>
    packetOf({ pid, counter, unitStart: true, payload: pesOf(STREAM_ID[pid], pts, length) }),
  )
  const clocks = new StreamClocks()
  clocks.follow(chunkOf(...packets, packetOf({ pid: 0x50, counter: 0 }), tablesOf(0)), new ProgramTable().isSectionPid)
  return clocks
}

test('first value, last value and step of each PID are kept', () => {
  const clocks = clocksOf([1000, 4600, 8200].map((pts) => ({ pid: VIDEO_PID, pts })))
  const { first, last, step } = clocks.dts.get(VIDEO_PID)!
  assert.deepEqual({ first, last, step }, { first: 1000, last: 8200, step: 3600 })
  assert.equal(loopLength90k(clocks), 7200 + 3600)
})

test('a small step back is reordering, a large one a new clock', () => {
  assert.equal(
    clocksOf([9000, 12_600, 10_800].map((pts) => ({ pid: VIDEO_PID, pts }))).dts.get(VIDEO_PID)!.last,
    12_600,
  )
  assert.equal(
    clocksOf([9_000_000, 9_003_600, 50].map((pts) => ({ pid: VIDEO_PID, pts }))).dts.get(VIDEO_PID)!.last,
    50,
  )
})

test('a pause does not count as a step', () => {
  const subtitles = [90_000, 450_000].map((pts) => ({ pid: 0x110 as const, pts, length: 200 }))
  assert.equal(clocksOf(subtitles).dts.get(0x110)!.step, 3600)
})

test('the duration of the last audio unit follows from its size, and is limited by the previous ones', () => {
  const audio = (lengths: readonly number[]): number => {
    const units = lengths.map((length, index) => ({ pid: AUDIO_PID, pts: 1000 + index * 1920, length }) as const)
    return clocksOf(units).dts.get(AUDIO_PID)!.step
  }
  assert.equal(audio([400, 400, 400]), 1920)
  assert.equal(audio([400, 400, 200]), 960)
  assert.equal(audio([400, 400, 4000]), 2 * 1920)
  assert.equal(audio([1, 1, 65_535]), 2 * 1920)
})

test('a stream without clocks has no length', () => {
  assert.equal(loopLength90k(new StreamClocks()), 0)
})

test('the number of PIDs kept is bounded', () => {
  const clocks = new StreamClocks()
  for (let pid = 0x100; pid < 0x100 + 600; pid++) {
    const unit = packetOf({ pid, counter: 0, unitStart: true, payload: pesOf(0xe0, 1000) })
    clocks.follow(chunkOf(unit, tablesOf(0)), new ProgramTable().isSectionPid)
  }
  assert.equal(clocks.dts.size, 256)
})
