import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nextStartCode } from './start-code.js'

const fewValues = fc
  .array(fc.constantFrom(0, 0, 0, 1, 1, 2, 0xff), { maxLength: 40 })
  .map((list) => Uint8Array.from(list))

/** The same by a byte-by-byte search. */
function search(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at + 3 < end; at++) {
    if (bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1) return at + 3
  }
  return -1
}

test('the byte after the prefix is found', () => {
  const rows = [
    { name: 'three bytes', bytes: [0, 0, 1, 9], expected: 3 },
    { name: 'four bytes', bytes: [0, 0, 0, 1, 9], expected: 4 },
    { name: 'after other bytes', bytes: [5, 1, 0, 1, 0, 0, 1, 9], expected: 7 },
    { name: 'nothing after it', bytes: [0, 0, 1], expected: -1 },
    { name: 'none', bytes: [0, 0, 2, 0, 1, 0, 0], expected: -1 },
    { name: 'nothing at all', bytes: [], expected: -1 },
  ]
  for (const { name, bytes, expected } of rows) {
    assert.equal(nextStartCode(Uint8Array.from(bytes), 0, bytes.length), expected, name)
  }
})

test('any range gives the result of a byte-by-byte search', () => {
  fc.assert(
    fc.property(fewValues, fc.nat(40), fc.nat(40), (bytes, from, size) => {
      const end = Math.min(bytes.length, from + size)
      assert.equal(nextStartCode(bytes, from, end), search(bytes, from, end))
    }),
    { numRuns: 2000 },
  )
})
