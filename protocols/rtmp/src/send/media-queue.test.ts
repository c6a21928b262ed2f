import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MESSAGE } from '../session/message.js'
import { DropPolicy } from './drop-policy.js'
import { MediaMessage } from './media-message.js'
import type { MediaClass } from './media-message.js'
import { MediaQueue } from './media-queue.js'

const LIMITS = { maxBytes: 1000, maxMs: 1000 }
const message = (kind: MediaClass, bytes = 10): MediaMessage =>
  new MediaMessage(kind === 'audio' ? MESSAGE.audio : MESSAGE.video, kind, 0, new Uint8Array(bytes))

test('a queue that fills loses disposable frames first, then all video, then audio, and no headers', () => {
  const admitted = (fill: number): MediaClass[] =>
    (['headers', 'audio', 'key', 'inter', 'disposable'] as const).filter((kind) =>
      new DropPolicy(LIMITS).admits(kind, 0, fill, 0),
    )
  assert.deepEqual(admitted(200), ['headers', 'audio', 'key', 'inter', 'disposable'])
  assert.deepEqual(admitted(400), ['headers', 'audio', 'key', 'inter'])
  assert.deepEqual(admitted(600), ['headers', 'audio', 'key'])
  assert.deepEqual(admitted(900), ['headers', 'audio'])
  assert.deepEqual(admitted(1001), ['headers'])
})

test('time counts like bytes', () => {
  assert.equal(new DropPolicy(LIMITS).admits('inter', 0, 1, 600), false)
  assert.equal(new DropPolicy(LIMITS).admits('audio', 0, 1, 600), true)
})

test('a lost frame costs all video up to the next random access point; a lost disposable frame costs nothing', () => {
  const policy = new DropPolicy(LIMITS)
  assert.equal(policy.admits('disposable', 0, 400, 0), false)
  assert.equal(policy.admits('inter', 0, 400, 0), true)
  assert.equal(policy.admits('inter', 0, 600, 0), false)
  assert.equal(policy.admits('inter', 0, 0, 0), false)
  assert.equal(policy.admits('disposable', 0, 0, 0), false)
  assert.equal(policy.admits('audio', 0, 0, 0), true)
  assert.equal(policy.admits('key', 0, 0, 0), true)
  assert.equal(policy.admits('inter', 0, 0, 0), true)
})

test('a message that is larger than the bound is never taken', () => {
  assert.equal(new DropPolicy(LIMITS).admits('key', 1001, 0, 0), false)
})

test('memory stays bounded when nothing is taken out', () => {
  const queue = new MediaQueue(LIMITS)
  for (let count = 0; count < 10_000; count++) queue.push(message(count % 50 === 0 ? 'key' : 'inter'), 1, count)
  const { queuedBytes, droppedMessages } = queue.stats(10_000)
  assert.ok(queuedBytes <= LIMITS.maxBytes)
  assert.ok(droppedMessages > 9000)
})

test('headers alone overflow it', () => {
  const queue = new MediaQueue(LIMITS)
  for (let count = 0; count < 250; count++) queue.push(message('headers'), 1, 0)
  assert.equal(queue.hasOverflowed, true)
})

test('message streams lose frames of their own, and are forgotten one by one', () => {
  const queue = new MediaQueue(LIMITS)
  queue.requireKey(2)
  assert.deepEqual([queue.push(message('inter'), 1, 0), queue.push(message('inter'), 2, 0)], [true, false])
  queue.push(message('key'), 2, 0)
  queue.forget(1)
  assert.equal(queue.shift()?.messageStreamId, 2)
  assert.deepEqual([queue.shift(), queue.stats(0).queuedBytes, queue.isEmpty], [undefined, 0, true])
})

test('a message is chunked once for all receivers with the same chunk size and message stream', () => {
  const one = message('key', 9000)
  assert.equal(one.chunks(4096, 1), one.chunks(4096, 1))
  assert.notEqual(one.chunks(128, 1), one.chunks(4096, 1))
  assert.notEqual(one.chunks(4096, 2), one.chunks(4096, 1))
  // Ids are the receiver's to choose: odd ones take no memory.
  assert.notEqual(one.chunks(4096, 2), one.chunks(4096, 2))
})

test('what a receiver gets as it joins is whole, and does not make what follows late', () => {
  const queue = new MediaQueue(LIMITS)
  const backlog = Array.from({ length: 40 }, (_, at) => message(at === 0 ? 'key' : 'inter', 50))
  for (const one of backlog) assert.equal(queue.push(one, 1, 0, true), true)
  // The receiver takes it slowly, and the stream goes on meanwhile.
  for (let at = 0; at < 40; at++) {
    assert.equal(queue.push(message('inter', 10), 1, at * 100), true, `frame ${at}`)
    queue.shift()
  }
  assert.deepEqual([queue.stats(4000).queuedBytes, queue.stats(4000).droppedMessages], [400, 0])
  // From here on it is judged like any other.
  assert.equal(queue.push(message('inter', 10), 1, 4000), true)
  assert.equal(queue.push(message('inter', 10), 1, 4600), false)
})

test('the past of a stream has a bound of its own, and does not make the queue overflow', () => {
  const queue = new MediaQueue(LIMITS)
  const [large, mebibyte] = [message('key', 2 ** 20), 2 ** 20]
  let taken = 0
  while (taken < 100 && queue.push(large, 1, 0, true)) taken++
  assert.deepEqual([taken, queue.hasOverflowed, queue.stats(0).queuedBytes], [32, false, 32 * mebibyte])
  queue.forget(1)
  assert.deepEqual([queue.isEmpty, queue.stats(0).queuedBytes], [true, 0])
  assert.equal(queue.push(message('key', 100), 1, 0), true)
})
