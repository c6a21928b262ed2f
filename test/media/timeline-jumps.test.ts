import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs, PTS_WRAP, withJump } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import { readPcrBase, writePcrBase } from '@millrace/media/mpegts'
import { checkTs } from '../oracle/check-ts.js'
import { assertSameBytes, concat } from './bytes.js'
import { TimelineHarness } from './timeline-harness.js'

const SECOND = 90_000
const PACKET = 188
const DURATION_MS = 4000

const PLANS: readonly { readonly name: string; readonly plan: TsPlan }[] = [
  { name: 'H.264 and AAC', plan: {} },
  { name: 'B pictures', plan: { video: { bFrames: 2 } } },
  { name: 'bounded video PES', plan: { video: { boundedPes: true } } },
  { name: 'a PID for the PCR', plan: { pcr: { pid: 0x1f0 } } },
  { name: 'audio only', plan: { video: false } },
  { name: 'near the wrap', plan: { startPts90k: PTS_WRAP - SECOND } },
]

const JUMPS = [
  { name: 'an hour forward', ticks: 3600 * SECOND },
  { name: '3 s back', ticks: -3 * SECOND },
  { name: 'half a minute forward', ticks: 30 * SECOND },
]

for (const { name, plan } of PLANS) {
  for (const jump of JUMPS) {
    test(`a clock that jumps ${jump.name} in mid-stream is one timeline: ${name}`, () => {
      const { bytes } = buildTs({ durationS: DURATION_MS / 1000, ...plan })
      for (const share of [0.3, 0.5, 0.71]) {
        const from = Math.floor((bytes.length * share) / PACKET) * PACKET
        const jumped = withJump(bytes, from, jump.ticks)
        const harness = new TimelineHarness().feed(jumped, { durationMs: DURATION_MS }).end()
        const { clockJumps, droppedPackets } = harness.timeline.counters
        assert.equal(clockJumps, 1)
        assert.equal(droppedPackets, 0)
        const report = checkTs(harness.bytes())
        assert.equal(report.continuityErrors, 0)
        assert.equal(report.crcErrors, 0)
        for (const [pid, { jumps }] of Object.entries(report.clocks)) assert.equal(jumps, 0, `the clock of ${pid}`)
        for (const [pid, units] of Object.entries(report.units)) {
          assert.equal(units.dtsNotIncreasing + units.wrongLength + units.cut, 0, `units of ${pid}`)
        }
      }
    })
  }
}

test('a file that an upstream plays in a loop is one timeline', () => {
  const { bytes } = buildTs({ durationS: 3, video: { boundedPes: true } })
  const harness = new TimelineHarness().feed(concat([bytes, bytes, bytes, bytes]), { durationMs: 12_000 }).end()
  assert.equal(harness.timeline.counters.clockJumps, 3)
  const report = checkTs(harness.bytes())
  assert.equal(report.continuityErrors, 0)
  for (const { jumps } of Object.values(report.clocks)) assert.equal(jumps, 0)
  for (const { dtsNotIncreasing } of Object.values(report.units)) assert.equal(dtsNotIncreasing, 0)
})

test('a clock that jumps back and forth is followed each time', () => {
  const { bytes } = buildTs({ durationS: 6 })
  const at = (share: number): number => Math.floor((bytes.length * share) / PACKET) * PACKET
  const jumped = withJump(withJump(bytes, at(0.3), 3600 * SECOND), at(0.6), -3600 * SECOND)
  const harness = new TimelineHarness().feed(jumped, { durationMs: 6000 }).end()
  assert.equal(harness.timeline.counters.clockJumps, 2)
  for (const { jumps } of Object.values(checkTs(harness.bytes()).clocks)) assert.equal(jumps, 0)
})

test('a single damaged clock value, a wrap, and a pause are no jumps: the stream passes as it is', () => {
  const damaged = buildTs({ durationS: 3 })
  const { offset } = damaged.pcrs[40]!
  const bytes = damaged.bytes.slice()
  writePcrBase(bytes, offset, readPcrBase(bytes, offset) ^ 0x4000_0000)
  const streams = [bytes, buildTs({ durationS: 3, startPts90k: PTS_WRAP - SECOND }).bytes]
  for (const stream of streams) {
    const harness = new TimelineHarness().feed(stream, { durationMs: 3000 }).end()
    assert.equal(harness.timeline.counters.clockJumps, 0)
    assertSameBytes(harness.bytes(), stream)
  }
})

test('a jump of one program of several is counted, and moves no other program', () => {
  const { bytes } = buildTs({ durationS: 3, programs: [{}, {}] })
  const from = Math.floor(bytes.length / 2 / PACKET) * PACKET
  const jumped = withJump(bytes, from, 3600 * SECOND)
  const harness = new TimelineHarness().feed(jumped, { durationMs: 3000 }).end()
  assert.equal(harness.timeline.counters.clockJumps, 1)
  assertSameBytes(harness.bytes(), jumped)
})
