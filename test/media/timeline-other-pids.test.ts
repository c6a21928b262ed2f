// Another upstream of one input has other PIDs: readers follow a kind of track from one to the other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs, PTS_WRAP } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import { checkTs } from '../oracle/check-ts.js'
import { signedDifference } from '../oracle/clock.js'
import { TimelineHarness } from './timeline-harness.js'

const OTHER: TsPlan = { pmtPid: 0x1100, video: { pid: 0x200 }, audio: { pid: 0x201 }, startPts90k: 77_000_000 }
/** PIDs of the video, of the audio. */
const TRACKS = [
  [0x100, 0x200],
  [0x101, 0x201],
] as const

for (const { name, before, after } of [
  { name: 'a multiplexer that sends later', before: { delayMs: 1500 }, after: { ...OTHER, delayMs: 100 } },
  { name: 'one that sends earlier', before: { delayMs: 100 }, after: { ...OTHER, delayMs: 1500 } },
  { name: 'another program number', before: { delayMs: 800 }, after: { ...OTHER, number: 7 } },
  { name: 'a PID for the PCR', before: { pcr: { pid: 0x1f0 } }, after: { ...OTHER, pcr: { pid: 0x2f0 } } },
] as const) {
  test(`times go on from track to track when PIDs change at a reconnect: ${name}`, () => {
    const harness = new TimelineHarness().feed(buildTs({ durationS: 3, ...before }).bytes, { durationMs: 3000 })
    harness
      .nextGeneration({ timeline: 'elapsed' }, 20)
      .feed(buildTs({ durationS: 3, ...after }).bytes, { durationMs: 3000 })
      .end()
    const [start = 0] = harness.starts.slice(-1)
    const [first, second] = [checkTs(harness.bytes().subarray(0, start)), checkTs(harness.bytes().subarray(start))]
    for (const [from, to] of TRACKS) {
      const stepMs = signedDifference(second.units[to]!.firstDts90k!, first.units[from]!.lastDts90k, PTS_WRAP) / 90
      assert.ok(stepMs > 0 && stepMs < 2000, `from ${from} to ${to} in ${stepMs} ms`)
    }
    const [last, next] = [Object.values(first.clocks)[0]!, Object.values(second.clocks)[0]!]
    assert.ok(signedDifference(next.first27m, last.last27m, PTS_WRAP * 300) > 0)
    assert.equal(harness.timeline.counters.droppedPackets, 0)
  })
}
