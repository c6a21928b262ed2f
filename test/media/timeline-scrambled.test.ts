// The times of scrambled units cannot be rewritten, so that the clock they belong to must stay as it is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import { hasPayload, payloadOffset, readPcrBase, readPid } from '@millrace/media/mpegts'
import { checkTs } from '../oracle/check-ts.js'
import { TimelineHarness } from './timeline-harness.js'

const PACKET = 188
const TRACKS = [0x100, 0x101]

/** Only the payload of these PIDs is scrambled; adaptation fields and tables never are, ISO/IEC 13818-1 2.4.3.3. */
function scrambled(plan: TsPlan, pids: readonly number[] = TRACKS): Uint8Array {
  const bytes = buildTs({ durationS: 3, ...plan }).bytes.slice()
  for (let at = 0; at < bytes.length; at += PACKET) {
    if (!pids.includes(readPid(bytes, at)) || !hasPayload(bytes, at)) continue
    bytes[at + 3] = bytes[at + 3]! | 0x80
    for (let from = payloadOffset(bytes, at); from < at + PACKET; from++) bytes[from] = bytes[from]! ^ 0x5a
  }
  return bytes
}

function pcrsOf(bytes: Uint8Array): number[] {
  const pcrs: number[] = []
  for (let at = 0; at < bytes.length; at += PACKET) {
    const pcr = readPcrBase(bytes, at)
    if (pcr >= 0) pcrs.push(pcr)
  }
  return pcrs
}

const SECOND: TsPlan = { startPts90k: 5_000_000, startCounters: { 0x100: 7, 0x101: 3 } }

for (const timeline of ['elapsed', 'contiguous'] as const) {
  test(`after a junction of scrambled streams the clock is that of the units, and its jump is announced: ${timeline}`, () => {
    const second = scrambled(SECOND)
    const harness = new TimelineHarness().feed(scrambled({}), { durationMs: 3000 })
    harness.nextGeneration({ timeline }, 300).feed(second, { durationMs: 3000 }).end()
    const [start = 0] = harness.starts.slice(-1)
    assert.deepEqual(pcrsOf(harness.bytes().subarray(start)), pcrsOf(second))
    const { clocks, continuityErrors } = checkTs(harness.bytes())
    assert.deepEqual([continuityErrors, clocks[0x100]!.jumps, clocks[0x100]!.announced], [0, 0, 1])
  })
}

test('with a track in the clear, what can be read is one timeline', () => {
  const harness = new TimelineHarness().feed(scrambled({}, [0x101]), { durationMs: 3000 })
  harness
    .nextGeneration({ timeline: 'elapsed' }, 0)
    .feed(scrambled(SECOND, [0x101]), { durationMs: 3000 })
    .end()
  const { clocks, units, continuityErrors } = checkTs(harness.bytes())
  assert.deepEqual([continuityErrors, clocks[0x100]!.jumps, clocks[0x100]!.announced], [0, 0, 0])
  assert.equal(units[0x100]!.dtsNotIncreasing, 0)
})
