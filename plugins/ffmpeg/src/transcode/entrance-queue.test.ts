import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EntranceQueue } from './entrance-queue.js'
import type { FeedPlan } from './feed-plan.js'
import type { Entry } from './inlet-stream.js'
import { RecentGop } from './recent-gop.js'
import { SpeedWatch } from '../process/speed-watch.js'

const PLAN: FeedPlan = { program: 1, pcrPid: 256, video: undefined, audio: [] }

/** Chunks of 100 ms; a key frame each second. */
function entryOf(index: number, sizeBytes = 1000): Entry {
  const bytes = new Uint8Array(sizeBytes)
  const start =
    index % 10 === 0
      ? { start: { lead: new Uint8Array(0), bridge: new Uint8Array(0), bytes, pts90k: index * 9000 } }
      : {}
  return { bytes, receivedAtMs: index * 100, isBreak: false, ...start }
}

test('what waits for too long is dropped up to the newest key frame, and the break is said', () => {
  const queue = new EntranceQueue(() => 2500)
  for (let index = 0; index <= 26; index++) queue.push(entryOf(index), PLAN, index * 100)
  assert.deepEqual([queue.drops, queue.droppedBytes], [1, 20_000])
  const first = queue.take()
  assert.deepEqual([first?.receivedAtMs, first?.isBreak], [2000, true])
  assert.equal(queue.take()?.isBreak, false)
  assert.equal(queue.bytes, 5000)
})

test('without a key frame everything is dropped until the next one', () => {
  const queue = new EntranceQueue(() => 500)
  for (let index = 1; index <= 9; index++) queue.push(entryOf(index), PLAN, index * 100)
  assert.ok(queue.isEmpty)
  assert.equal(queue.droppedBytes, 9000)
  queue.push(entryOf(10), PLAN, 1000)
  queue.push(entryOf(11), PLAN, 1100)
  assert.deepEqual([queue.take()?.isBreak, queue.take()?.isBreak], [true, false])
})

test('what has come long before, and is given to an encoder that starts, has not waited yet', () => {
  const queue = new EntranceQueue(() => 2500)
  for (let index = 0; index < 100; index++) queue.push(entryOf(index), PLAN, 10_000)
  assert.equal(queue.drops, 0)
  queue.push(entryOf(100), PLAN, 12_600)
  assert.equal(queue.drops, 1)
})

test('what waits is bounded in bytes, whatever the times say', () => {
  const queue = new EntranceQueue(() => Infinity)
  for (let index = 0; index < 100; index++) queue.push(entryOf(index, 2 ** 20), PLAN, 0)
  assert.ok(queue.bytes <= 9 * 2 ** 20, String(queue.bytes))
})

test('the newest GOP is kept, and of one that is too large nothing', () => {
  const recent = new RecentGop()
  for (let index = 0; index < 25; index++) recent.push(entryOf(index))
  assert.equal(recent.entries.length, 5)
  recent.push({ ...entryOf(25), isBreak: true })
  assert.equal(recent.entries.length, 0)
  recent.push(entryOf(30, 9 * 2 ** 20))
  assert.equal(recent.entries.length, 0)
})

test('an encoder is too slow when input has waited for half a minute, and not when the source pauses', () => {
  const watch = new SpeedWatch()
  for (let second = 0; second <= 60; second++) watch.note(second * 1000, second * 800, false)
  assert.equal(watch.speed.toFixed(2), '0.80')
  assert.equal(watch.isTooSlow(60_000), false)
  for (let second = 60; second <= 90; second++) watch.note(second * 1000, second * 800, true)
  assert.equal(watch.isTooSlow(90_000), true)
  assert.equal(
    watch.mayRestart(90_000, () => false),
    false,
    'the machine is busy',
  )
  assert.equal(
    watch.mayRestart(90_000, () => true),
    true,
  )
  assert.equal(
    watch.mayRestart(91_000, () => true),
    false,
    'not again at once',
  )
  for (let second = 91; second <= 130; second++) watch.note(second * 1000, second * 1000, true)
  assert.equal(watch.isTooSlow(130_000), false, 'it catches up')
})
