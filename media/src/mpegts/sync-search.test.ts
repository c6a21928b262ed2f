import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findSync, SEARCH_SPAN, STRIDES } from './sync-search.js'
import type { SyncResult } from './sync-search.js'

/** Zeros with sync bytes at these offsets. */
function bytesWith(length: number, ...places: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(length)
  for (const at of places) bytes[at] = 0x47
  return bytes
}

function find(bytes: Uint8Array, ending = false, from = 0): SyncResult {
  const found = { at: -1, stride: -1 }
  findSync(bytes, from, bytes.length, ending, found)
  return found
}

test('three sync bytes at one stride suffice, wherever they begin', () => {
  for (const stride of STRIDES) {
    for (const at of [0, 1, 187, 1000]) {
      const bytes = bytesWith(at + 2 * stride + 1, at, at + stride, at + 2 * stride)
      assert.deepEqual(find(bytes), { at, stride })
    }
  }
})

test('an undecided sync byte is kept, ruled out bytes are not', () => {
  assert.deepEqual(find(bytesWith(470, 100, 100 + 188)), { at: 100, stride: 0 })
  assert.deepEqual(find(bytesWith(700, 100, 100 + 188)), { at: 700, stride: 0 })
  assert.deepEqual(find(bytesWith(700)), { at: 700, stride: 0 })
  assert.deepEqual(find(bytesWith(0)), { at: 0, stride: 0 })
})

test('at most SEARCH_SPAN bytes stay undecided', () => {
  for (let length = 1; length < 2000; length += 7) {
    const bytes = new Uint8Array(length).map((_, at) => (at % 3 === 0 ? 0x47 : 0))
    const { at, stride } = find(bytes)
    assert.ok(stride !== 0 || length - at <= SEARCH_SPAN)
  }
})

test('bytes outside the range are not read', () => {
  const bytes = bytesWith(1000, 0, 188, 376)
  assert.equal(find(bytes, false, 1).stride, 0)
  const found = { at: -1, stride: -1 }
  findSync(bytes, 0, 376, false, found)
  assert.deepEqual(found, { at: 0, stride: 0 })
})

test('at the end a packet that fills the remaining bytes suffices', () => {
  assert.deepEqual(find(bytesWith(188, 0), true), { at: 0, stride: 188 })
  assert.deepEqual(find(bytesWith(376, 0, 188), true), { at: 0, stride: 188 })
  assert.deepEqual(find(bytesWith(192 + 188, 0, 192), true), { at: 0, stride: 192 })
  assert.deepEqual(find(bytesWith(187, 0), true), { at: 187, stride: 0 })
  assert.deepEqual(find(bytesWith(188, 0), false), { at: 0, stride: 0 })
})
