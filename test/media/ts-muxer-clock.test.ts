// Which steps in the times of frames are a jump of the stream's clock, and which belong to one track alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkTs } from '../oracle/check-ts.js'
import { AUDIO, keptMuxer, makeFrame, VIDEO } from './frame-source.js'

const VIDEO_PID = 0x100
const SECOND = 90_000

interface Picked {
  /** Undefined: this frame does not come. */
  readonly video: number | undefined
  readonly audio: number | undefined
}

/** 25 pictures and 25 audio frames a second; `pick` gives their times in ms. */
function mux(seconds: number, pick: (ms: number) => Picked) {
  const jumps: number[] = []
  const { muxer, bytes } = keptMuxer({ onJump: (jump90k) => jumps.push(jump90k / SECOND) })
  for (let at = 0; at < 25 * seconds; at++) {
    const { video, audio } = pick(at * 40)
    const key = { isRandomAccess: at % 50 === 0 }
    if (video !== undefined) muxer.push(makeFrame(VIDEO, Uint8Array.of(0x65, 0x88, 1), video * 90, key))
    if (audio !== undefined) muxer.push(makeFrame(AUDIO, Uint8Array.of(1, 2, 3), audio * 90))
  }
  const report = checkTs(bytes())
  assert.deepEqual([report.syncErrors, report.continuityErrors, report.crcErrors, muxer.counters.dropped], [0, 0, 0, 0])
  assert.equal(report.clocks[VIDEO_PID]!.jumps, 0)
  return { jumps, muxer, announced: report.clocks[VIDEO_PID]!.announced, size: bytes().length, report }
}

for (const offsetMs of [11_000, 3_600_000, -11_000, -3_600_000]) {
  test(`audio that runs ${-offsetMs / 1000} s ahead of video all the time is no jump`, () => {
    const base = 3_600_000
    const { jumps, announced, size } = mux(10, (ms) => ({ video: base + ms, audio: base - offsetMs + ms }))
    assert.deepEqual([jumps, announced], [[], 0])
    const together = mux(10, (ms) => ({ video: base + ms, audio: base + ms }))
    assert.ok(size < together.size * 1.1, `${size} ${together.size}`)
  })
}

for (const who of ['video', 'audio'] as const) {
  test(`${who} that pauses for 12 s while the other track goes on is no jump`, () => {
    const { jumps, announced, report } = mux(30, (ms) => {
      const picked = { video: ms, audio: ms + 20 }
      return ms >= 5000 && ms < 17_000 ? { ...picked, [who]: undefined } : picked
    })
    assert.deepEqual([jumps, announced], [[], 0])
    for (const { dtsNotIncreasing } of Object.values(report.units)) assert.equal(dtsNotIncreasing, 0)
  })
}

for (const jumpMs of [1_000_000, -1_000_000]) {
  for (const lag of [400, -400]) {
    test(`a jump by ${jumpMs / 1000} s is one, though audio makes it ${lag} ms after video`, () => {
      const base = 3_600_000
      const jumped = (ms: number): number => (ms >= 4000 ? base + ms + jumpMs : base + ms)
      const { jumps, muxer, announced } = mux(10, (ms) => ({ video: jumped(ms), audio: jumped(ms - lag) }))
      assert.equal(jumps.length, 1, jumps.join())
      assert.equal(announced, 1)
      // Some frames of the old clock; those of the new one are on time.
      assert.ok(muxer.counters.late <= 20, `${muxer.counters.late} late`)
    })
  }
}

test('when a track on a clock of its own is all that goes on, the stream goes by it, after a while', () => {
  const { jumps, announced, muxer } = mux(60, (ms) => ({
    video: ms < 5000 ? 3_600_000 + ms : undefined,
    audio: ms,
  }))
  assert.deepEqual([jumps.length, announced, muxer.generation], [1, 1, 1])
})

test('a track that takes the place of all others brings its clock with it', () => {
  const { muxer } = keptMuxer()
  for (let at = 0; at < 50; at++) muxer.push(makeFrame(VIDEO, Uint8Array.of(0x65, 0x88, 1), at * 3600))
  muxer.removeTrack(VIDEO.id)
  for (let at = 0; at < 50; at++) muxer.push(makeFrame(AUDIO, Uint8Array.of(1, 2, 3), 3600 * SECOND + at * 3600))
  assert.deepEqual([muxer.generation, muxer.counters.late], [1, 0])
})
