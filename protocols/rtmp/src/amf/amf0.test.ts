import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readAmf0 } from './amf0-reader.js'
import { renderAmf0 } from './amf0-writer.js'
import type { AmfValue } from './amf-value.js'

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))

const VECTORS: readonly (readonly [name: string, bytes: string, value: unknown])[] = [
  ['a number', '00 3ff8000000000000', 1.5],
  ['a boolean', '01 01', true],
  ['a string', '02 0003 616263', 'abc'],
  ['a long string', '0c 00000003 616263', 'abc'],
  ['null', '05', null],
  ['an object', '03 0001 61 02 0001 62 0000 09', { a: 'b' }],
  ['an object whose end was left out', '03 0001 61 02 0001 62 0000', { a: 'b' }],
  ['a typed object', '10 0003 464f4f 0001 61 01 00 0000 09', { a: false }],
  ['an ECMA array with a wrong count', '08 000000ff 0001 61 05 0000 09', { a: null }],
  ['a strict array', '0a 00000002 01 01 05', [true, null]],
  ['a date', '0b 4059000000000000 0000', 100],
  ['a property called __proto__', '03 0009 5f5f70726f746f5f5f 01 01 0000 09', JSON.parse('{"__proto__":true}')],
]

for (const [name, bytes, value] of VECTORS) {
  test(`reads ${name}`, () => {
    const { values, isDamaged } = readAmf0(hex(bytes))
    assert.equal(isDamaged, false)
    assert.deepEqual(plain(values), [value])
  })
}

const AMF3: readonly (readonly [name: string, bytes: string, value: unknown])[] = [
  ['an integer', '11 04 8148', 200],
  ['a negative integer', '11 04 ffffffff', -1],
  ['a double', '11 05 3ff8000000000000', 1.5],
  ['a string', '11 06 07 616263', 'abc'],
  ['an array with the same string twice', '11 09 05 01 06 07 616263 06 00', ['abc', 'abc']],
  ['a dynamic object', '11 0a 0b 01 03 61 06 03 62 01', { a: 'b' }],
  ['an object with traits', '11 0a 13 01 03 61 03', { a: true }],
]

for (const [name, bytes, value] of AMF3) {
  test(`reads ${name} of AMF3 within AMF0`, () => {
    const { values, isDamaged } = readAmf0(hex(bytes))
    assert.equal(isDamaged, false)
    assert.deepEqual(plain(values), [value])
  })
}

test('reads a byte array of AMF3 as a view of the message', () => {
  const bytes = hex('11 0c 07 af0111')
  assert.deepEqual(readAmf0(bytes).values, [bytes.subarray(3)])
})

const DAMAGED: readonly (readonly [name: string, bytes: string])[] = [
  ['a string that is longer than the message', '02 ffff 61'],
  ['a long string that is longer than the message', '0c ffffffff 61'],
  ['an array of four thousand million elements', '0a ffffffff 05 05'],
  ['a marker that does not exist', '42'],
  ['half a number', '00 3ff8'],
  ['an externalizable object of AMF3', '11 0a 07 01'],
  ['a reference to traits that were not sent', '11 0a 7d'],
  ['a byte array of AMF3 that is longer than the message', '11 0c bfffffff 00'],
  ['traits of AMF3 with a million names', '11 0a 80fa8043 01 03 61'],
]

for (const [name, bytes] of DAMAGED) {
  test(`stops at ${name}, and keeps what came before`, () => {
    const { values, isDamaged } = readAmf0(Buffer.concat([hex('01 01'), hex(bytes)]))
    assert.equal(isDamaged, true)
    assert.deepEqual(values, [true])
  })
}

test('objects and arrays a thousand deep are damage, in AMF0 and in AMF3', () => {
  for (const level of ['03 0001 61', '0a 00000001', '09 03 01']) {
    const prefix = level.startsWith('09') ? '11' : ''
    assert.equal(readAmf0(hex(prefix + level.repeat(1000))).isDamaged, true)
  }
})

test('a message has at most 4096 values', () => {
  assert.equal(readAmf0(hex('05'.repeat(4096))).isDamaged, false)
  const { values, isDamaged } = readAmf0(hex('05'.repeat(5000)))
  assert.deepEqual([isDamaged, values.length], [true, 4096])
})

test('what is written is read again', () => {
  const leaf = fc.oneof(fc.string(), fc.boolean(), fc.constant(null), fc.double({ noNaN: true }))
  const name = fc.string({ minLength: 1 }).filter((text) => text !== '__proto__')
  const value = fc.oneof(leaf, fc.array(leaf), fc.dictionary(name, leaf), fc.dictionary(name, fc.array(leaf)))
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const { values: again, isDamaged } = readAmf0(renderAmf0(values as AmfValue[]))
      assert.equal(isDamaged, false)
      assert.deepEqual(plain(again), plain(values))
    }),
  )
})

test('a string of more than 65,535 bytes is a long string', () => {
  const text = 'a'.repeat(70_000)
  assert.deepEqual(readAmf0(renderAmf0([text])).values, [text])
})
