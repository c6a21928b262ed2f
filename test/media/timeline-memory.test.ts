// What a timeline keeps of a source that jumps or reconnects for days.
import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { buildTs } from '@millrace/engine/testing'
import { concat } from './bytes.js'
import { TimelineHarness } from './timeline-harness.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const TIMES = 100
const SECONDS = 2
/** Each of its parts would leave more: tables of 8192 PIDs. */
const LEAST_LEFT_BYTES = 8192

const { bytes } = buildTs({ durationS: SECONDS, video: { boundedPes: true } })
const looped = concat(Array.from({ length: TIMES }, () => bytes))

test('a source that jumps again and again within a connection leaves nothing of the past', async () => {
  const harness = new TimelineHarness()
  await assertKeepsNothing(harness, () => harness.feed(looped, { durationMs: TIMES * SECONDS * 1000 }))
  assert.equal(harness.timeline.counters.clockJumps, 2 * TIMES - 1)
})

test('a source that reconnects again and again leaves nothing of the past', async () => {
  const harness = new TimelineHarness()
  await assertKeepsNothing(harness, () => {
    for (let time = 0; time < TIMES; time++) {
      harness.feed(bytes, { durationMs: SECONDS * 1000 })
      harness.out.length = 0
      harness.nextGeneration({ timeline: 'elapsed' }, 100)
    }
  })
})

/** Twice the same: the first time makes what is made once. */
async function assertKeepsNothing(harness: TimelineHarness, feed: () => void): Promise<void> {
  const used: number[] = []
  for (let round = 0; round < 2; round++) {
    feed()
    harness.out.length = 0
    used.push(await usedBytes())
  }
  const grown = used[1]! - used[0]!
  assert.ok(grown < (TIMES * LEAST_LEFT_BYTES) / 4, `${used[0]} bytes became ${used[1]}`)
}

/** In buffers, as soon as nothing more is freed. */
async function usedBytes(): Promise<number> {
  let least = Infinity
  for (let quiet = 0; quiet < 3;) {
    collect()
    await pause(1)
    const used = process.memoryUsage().arrayBuffers
    quiet = used < least ? 0 : quiet + 1
    least = Math.min(least, used)
  }
  return least
}
