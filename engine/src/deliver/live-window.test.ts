import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LiveEntry } from '../plugin/live-route.js'
import { LiveWindow, type WindowReaders } from './live-window.js'

const NOTHING = new Uint8Array(0)
/** Size of an entry. */
const MOST = 700
const NOBODY: WindowReaders = { isHeld: () => false, unreadFrom: () => Infinity }

function entry(receivedAtMs: number, size: number, keyframe?: boolean): LiveEntry {
  const bytes = new Uint8Array(size)
  const join =
    keyframe === undefined ? undefined : { keyframe, heldBytes: 0, preamble: () => NOTHING, bridge: () => NOTHING }
  return join === undefined ? { bytes, receivedAtMs } : { bytes, receivedAtMs, join }
}

test('drops entries older than the duration, and knows the offset of every entry', () => {
  const window = new LiveWindow({ durationMs: 100, sizeBytes: 1e9 }, NOBODY)
  for (let at = 0; at <= 200; at += 50) window.push(entry(at, 10))
  assert.equal(window.first, 2)
  assert.equal(window.next, 5)
  assert.equal(window.at(1), undefined)
  assert.equal(window.at(2)?.offset, 20)
  assert.equal(window.nextOffset, 50)
  assert.equal(window.durationMs, 100)
})

test('finds the entry at an offset; finds none if no entry starts there or the window has dropped it', () => {
  const window = new LiveWindow({ durationMs: 100, sizeBytes: 1e9 }, NOBODY)
  assert.equal(window.firstOffset, 0)
  assert.equal(window.entryFrom(0), undefined)
  for (let at = 0; at <= 200; at += 50) window.push(entry(at, 10 + at))
  assert.equal(window.firstOffset, 70)
  const found = [0, 10, 70, 71, 180, 340, 550].map((offset) => window.entryFrom(offset)?.seq)
  assert.deepEqual(found, [undefined, undefined, 2, undefined, 3, 4, undefined])
})

test('keepUnread: what a reader has yet to read outlasts the duration, and nothing else does', () => {
  let unreadFrom = Infinity
  const bounds = { durationMs: 100, sizeBytes: 1000, keepUnread: true }
  const window = new LiveWindow(bounds, { isHeld: () => false, unreadFrom: () => unreadFrom })
  for (let at = 0; at <= 1000; at += 50) window.push(entry(at, 10))
  assert.equal(window.firstOffset, 180)
  unreadFrom = 195
  for (let at = 1050; at <= 3000; at += 50) window.push(entry(at, 10))
  assert.equal(window.firstOffset, 190)
  unreadFrom = window.nextOffset
  window.push(entry(9000, 10))
  assert.equal(window.next - window.first, 1)
  unreadFrom = 0
  for (let at = 9000; at <= 20_000; at += 50) window.push(entry(at, 100))
  assert.ok(window.retainedBytes <= 1000)
  window.setBounds({ ...bounds, keepUnread: false })
  window.push(entry(30_000, 10))
  assert.equal(window.next - window.first, 1)
})

test('is bounded by size, but always keeps the newest entry', () => {
  const window = new LiveWindow({ durationMs: 1e9, sizeBytes: 1000 }, NOBODY)
  window.push(entry(0, 600))
  assert.equal(window.retainedBytes, 600)
  window.push(entry(0, 600))
  assert.equal(window.first, 1)
  assert.equal(window.retainedBytes, 600)
  window.push(entry(0, 5000))
  assert.equal(window.next - window.first, 1)
  assert.equal(window.retainedBytes, 5000)
})

test('counts joins as its memory, and preambles and bridges from the moment they are made', () => {
  const window = new LiveWindow({ durationMs: 1e9, sizeBytes: 1000 }, NOBODY)
  const made = { preamble: 0, bridge: 0 }
  const make = (what: keyof typeof made, size: number) => (): Uint8Array => {
    made[what]++
    return new Uint8Array(size)
  }
  const join = { keyframe: true, heldBytes: 50, preamble: make('preamble', 100), bridge: make('bridge', 200) }
  window.push({ ...entry(0, 300), join })
  assert.equal(window.retainedBytes, 350)
  const first = window.at(0)?.join
  for (const viewer of [1, 2, 3]) assert.equal(first?.preamble.length, 100, `viewer ${viewer}`)
  assert.equal(window.retainedBytes, 450)
  assert.equal(first?.bridge, first?.bridge)
  assert.equal(window.retainedBytes, 650)
  assert.deepEqual(made, { preamble: 1, bridge: 1 })
  window.push({ ...entry(0, 300), join })
  assert.equal(window.first, 0)
  window.push({ ...entry(0, 10), join })
  assert.equal(window.first, 1)
  assert.equal(window.retainedBytes, 410)
  assert.deepEqual(made, { preamble: 1, bridge: 1 })
})

test('a join that is made when its entry has been dropped is no memory of the window', () => {
  const window = new LiveWindow({ durationMs: 100, sizeBytes: 1000 }, NOBODY)
  const join = { keyframe: true, heldBytes: 50, preamble: () => new Uint8Array(100), bridge: () => NOTHING }
  const kept = window.push({ ...entry(0, 300), join })
  window.push(entry(200, 10))
  const before = window.retainedBytes
  assert.equal(kept.join?.preamble.length, 100)
  assert.equal(window.retainedBytes, before)
})

test('keeps a copy of what was pushed', () => {
  const window = new LiveWindow({ durationMs: 1e9, sizeBytes: 1e9 }, NOBODY)
  const bytes = new Uint8Array([1, 2, 3])
  const kept = window.push({ bytes, receivedAtMs: 0 })
  bytes.fill(0)
  assert.deepEqual([...kept.bytes], [1, 2, 3])
})

test('for any input: entries stay unchanged and memory stays within its bound, whatever is held', () => {
  const size = fc.integer({ min: 0, max: MOST })
  const bounds = fc.record({
    durationMs: fc.integer({ min: 0, max: 4000 }),
    sizeBytes: fc.oneof(fc.integer({ min: 0, max: 20_000 }), size),
  })
  const push = fc.record({
    size,
    stepMs: fc.integer({ min: 0, max: 40 }),
    isHeld: fc.boolean(),
    forbidsReuse: fc.boolean(),
    bounds: fc.option(bounds, { freq: 20, nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(push, { maxLength: 400, size: 'max' }), bounds, (pushes, first) => {
      let [atMs, bounds, isHeld] = [0, first, false]
      const window = new LiveWindow(bounds, { isHeld: () => isHeld, unreadFrom: () => Infinity })
      for (const [seq, each] of pushes.entries()) {
        bounds = each.bounds ?? bounds
        window.setBounds(bounds)
        if (each.forbidsReuse) window.forbidReuse()
        isHeld = each.isHeld
        atMs += each.stepMs
        window.push({ bytes: new Uint8Array(each.size).fill(seq), receivedAtMs: atMs })
        assert.ok(window.retainedBytes <= Math.max(bounds.sizeBytes, each.size), `${window.retainedBytes} bytes`)
        assert.ok(window.durationMs <= bounds.durationMs)
        assertIntact(window)
      }
    }),
  )
})

function assertIntact(window: LiveWindow): void {
  let { firstOffset } = window
  for (let seq = window.first; seq < window.next; seq++) {
    const { offset, bytes } = window.at(seq)!
    assert.equal(offset, firstOffset)
    assert.ok(
      bytes.every((byte) => byte === (seq & 0xff)),
      `entry ${seq} is not what it was`,
    )
    firstOffset += bytes.length
  }
  assert.equal(firstOffset, window.nextOffset)
}

test('finds the newest start entry while the window holds it', () => {
  const window = new LiveWindow({ durationMs: 1e9, sizeBytes: 30 }, NOBODY)
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

test('keeps sequence numbers right over a hundred thousand entries', () => {
  const window = new LiveWindow({ durationMs: 1e9, sizeBytes: 1000 }, NOBODY)
  for (let seq = 0; seq < 100_000; seq++) {
    window.push(entry(seq, 10))
    assert.equal(window.at(seq)?.seq, seq)
  }
  assert.equal(window.next, 100_000)
  assert.ok(window.first >= 99_900 && window.first <= 99_920, `${window.first}: nearly a hundred entries of 10 bytes`)
  for (let seq = window.first; seq < window.next; seq++) assert.equal(window.at(seq)?.offset, seq * 10)
})
