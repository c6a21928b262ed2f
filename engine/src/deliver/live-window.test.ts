import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEntry } from './live-route.js'
import { LiveWindow } from './live-window.js'

const NOTHING = new Uint8Array(0)

function entry(receivedAtMs: number, size: number, keyframe?: boolean): LiveEntry {
  const bytes = new Uint8Array(size)
  const join = keyframe === undefined ? undefined : { keyframe, preamble: NOTHING, bridge: NOTHING }
  return join === undefined ? { bytes, receivedAtMs } : { bytes, receivedAtMs, join }
}

test('drops what is older than the duration, and knows where every byte is', () => {
  const window = new LiveWindow({ durationMs: 100, sizeBytes: 1e9 })
  for (let at = 0; at <= 200; at += 50) window.push(entry(at, 10))
  assert.equal(window.first, 2)
  assert.equal(window.next, 5)
  assert.equal(window.at(1), undefined)
  assert.equal(window.at(2)?.offset, 20)
  assert.equal(window.nextOffset, 50)
  assert.equal(window.durationMs, 100)
})

test('finds the entry that starts at a byte, and none where no entry starts or the window has passed', () => {
  const window = new LiveWindow({ durationMs: 100, sizeBytes: 1e9 })
  assert.equal(window.firstOffset, 0)
  assert.equal(window.entryFrom(0), undefined)
  for (let at = 0; at <= 200; at += 50) window.push(entry(at, 10 + at))
  assert.equal(window.firstOffset, 70)
  const found = [0, 10, 70, 71, 180, 340, 550].map((offset) => window.entryFrom(offset)?.seq)
  assert.deepEqual(found, [undefined, undefined, 2, undefined, 3, 4, undefined])
})

test('is bounded by the memory that it keeps alive, and keeps the newest entry in any case', () => {
  const window = new LiveWindow({ durationMs: 1e9, sizeBytes: 1000 })
  const large = new ArrayBuffer(600)
  window.push({ bytes: new Uint8Array(large, 0, 10), receivedAtMs: 0 })
  assert.equal(window.retainedBytes, 600)
  window.push({ bytes: new Uint8Array(new ArrayBuffer(600), 0, 10), receivedAtMs: 0 })
  assert.equal(window.first, 1)
  window.push(entry(0, 5000))
  assert.equal(window.next - window.first, 1)
  assert.equal(window.retainedBytes, 5000)
})

test('shares the bytes of an entry instead of copying them', () => {
  const window = new LiveWindow({ durationMs: 1e9, sizeBytes: 1e9 })
  const bytes = new Uint8Array(new ArrayBuffer(100), 20, 30)
  const kept = window.push({ bytes, receivedAtMs: 0 })
  assert.equal(kept.bytes.buffer, bytes.buffer)
  assert.equal(kept.bytes.byteOffset, 20)
  assert.equal(kept.bytes.length, 30)
})

test('finds the newest start as long as the window holds it', () => {
  const window = new LiveWindow({ durationMs: 1e9, sizeBytes: 30 })
  assert.equal(window.newestStart(true), undefined)
  window.push(entry(0, 10, true))
  window.push(entry(0, 10, false))
  window.push(entry(0, 10))
  assert.equal(window.newestStart(true)?.seq, 0)
  assert.equal(window.newestStart(false)?.seq, 1)
  window.push(entry(0, 10))
  assert.equal(window.newestStart(true), undefined)
  assert.equal(window.newestStart(false)?.seq, 1)
})

test('keeps its numbers right over a hundred thousand entries', () => {
  const window = new LiveWindow({ durationMs: 1e9, sizeBytes: 1000 })
  for (let seq = 0; seq < 100_000; seq++) {
    window.push(entry(seq, 10))
    assert.equal(window.at(seq)?.seq, seq)
  }
  assert.equal(window.next, 100_000)
  assert.equal(window.first, 99_900)
  for (let seq = window.first; seq < window.next; seq++) assert.equal(window.at(seq)?.offset, seq * 10)
})
