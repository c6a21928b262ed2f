import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TRUNCATED, DAMAGED, RbspBitReader } from './rbsp.js'

/** Inserts 03 before every byte below 4 that follows two zeros, ITU-T H.264 7.4.1.1. */
function escape(rbsp: readonly number[]): Uint8Array {
  const nal: number[] = []
  let zeros = 0
  for (const byte of rbsp) {
    if (zeros >= 2 && byte <= 3) {
      nal.push(3)
      zeros = 0
    }
    nal.push(byte)
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return Uint8Array.from(nal)
}

function bytesOf(bits: string): number[] {
  return (bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))
}

function codeOf(value: number): string {
  const suffix = (value + 1).toString(2)
  return '0'.repeat(suffix.length - 1) + suffix
}

test('emulation prevention bytes are skipped', () => {
  const bytes = fc.array(fc.constantFrom(0, 0, 0, 1, 2, 3, 255), { maxLength: 30 })
  fc.assert(
    fc.property(bytes, (rbsp) => {
      const nal = escape(rbsp)
      const reader = new RbspBitReader(nal, 0, nal.length)
      for (const byte of rbsp) for (let bit = 7; bit >= 0; bit--) assert.equal(reader.readBit(), (byte >>> bit) & 1)
      assert.equal(reader.readBit(), TRUNCATED)
    }),
  )
})

test('exp-Golomb codes are read', () => {
  const value = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 2 }))
  fc.assert(
    fc.property(fc.array(value, { maxLength: 10 }), (values) => {
      const nal = escape(bytesOf(values.map(codeOf).join('')))
      const reader = new RbspBitReader(nal, 0, nal.length)
      for (const expected of values) assert.equal(reader.readUe(), expected)
    }),
  )
})

test('an incomplete code is truncated, one with too many zeros is damaged', () => {
  assert.equal(new RbspBitReader(Uint8Array.of(0x01), 0, 1).readUe(), TRUNCATED)
  assert.equal(new RbspBitReader(Uint8Array.of(0x00, 0x01), 0, 2).readUe(), TRUNCATED)
  assert.equal(new RbspBitReader(new Uint8Array(9), 0, 9).readUe(), DAMAGED)
})
