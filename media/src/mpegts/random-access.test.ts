import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Framer } from './framer.js'
import { AUDIO_PID, IDR, joined, packetOf, pesOf, SETS, tablesOf, VIDEO_PID } from './packets.test.kit.js'

test('a video that leads again after a pause needs no new parameter sets', () => {
  const framer = new Framer()
  const unit = (pid: number, counter: number, pts90k: number, data: readonly number[]): Uint8Array =>
    packetOf({ pid, counter, unitStart: true, payload: pesOf(0xe0, pts90k, 0, data) })
  framer.push(joined(tablesOf(0), unit(VIDEO_PID, 0, 0, [...SETS, ...IDR])), 0)
  const leads = new Set<number | undefined>()
  for (let step = 1; step <= 60; step++) {
    framer.push(unit(AUDIO_PID, step, step * 9000, []), step * 100)
    for (const { lead } of framer.flush(step * 100)) leads.add(lead?.pid)
  }
  assert.deepEqual([...leads], [VIDEO_PID, AUDIO_PID])
  framer.push(unit(VIDEO_PID, 1, 61 * 9000, IDR), 6100)
  const chunk = framer.finish(6100).at(-1)
  assert.deepEqual([chunk?.randomAccess, chunk?.lead?.pid], [true, VIDEO_PID])
  // SPS and PPS, each with a start code of four bytes.
  assert.deepEqual([...(chunk?.head?.elementary ?? [])], [0, ...SETS.slice(0, 8), 0, ...SETS.slice(8)])
})
