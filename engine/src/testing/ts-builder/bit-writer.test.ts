import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BitWriter } from './bit-writer.js'

test('fields follow each other, most significant bit first', () => {
  assert.deepEqual(new BitWriter().fields([1, 1], [0, 3], [0xabc, 12]).toBytes(), Uint8Array.of(0x8a, 0xbc))
  assert.deepEqual(new BitWriter().bits(0xfedcba98, 32).toBytes(), Uint8Array.of(0xfe, 0xdc, 0xba, 0x98))
})

test('Exp-Golomb numbers match the table in H.264 clause 9.1', () => {
  // 1, 010, 011, 00100, and signed 1 and -1 as 010 and 011
  assert.deepEqual(new BitWriter().ue(0, 1, 2, 3).trailing().toBytes(), Uint8Array.of(0b10100110, 0b01001000))
  assert.deepEqual(new BitWriter().se(1, -1).trailing().toBytes(), Uint8Array.of(0b01001110))
})

test('bytes can only be appended at a byte boundary', () => {
  assert.throws(() => new BitWriter().bits(1, 3).append([1]), /byte boundary/)
})
