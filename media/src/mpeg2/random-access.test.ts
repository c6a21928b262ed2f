import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NOT_RANDOM_ACCESS as NO, RANDOM_ACCESS_PICTURE as YES, UNDECIDED } from '../mpegts/picture.js'
import { classifyMpeg2 } from './random-access.js'

const SEQUENCE = [0, 0, 1, 0xb3, 0x28, 0x01, 0x68, 0x23]
const GROUP = [0, 0, 1, 0xb8, 0, 8, 0, 0x40]
const PICTURE = [0, 0, 1, 0x00, 0, 0x0f, 0xff, 0xf8]
const USER_DATA = [0, 0, 1, 0xb2, 1, 2]

test('a sequence header before the picture decides', () => {
  const rows = [
    { name: 'sequence header first', bytes: [...SEQUENCE, ...GROUP, ...PICTURE], expected: YES },
    { name: 'user data first', bytes: [...USER_DATA, ...SEQUENCE], expected: YES },
    { name: 'picture', bytes: PICTURE, expected: NO },
    { name: 'group without sequence header', bytes: [...GROUP, ...PICTURE, ...SEQUENCE], expected: NO },
    { name: 'start code only', bytes: [0, 0, 1], expected: UNDECIDED },
    { name: 'group only', bytes: GROUP, expected: UNDECIDED },
    { name: 'nothing', bytes: [], expected: UNDECIDED },
  ]
  for (const { name, bytes, expected } of rows) {
    assert.equal(classifyMpeg2(Uint8Array.from(bytes), 0, bytes.length, false), expected, name)
    const whenComplete = expected === UNDECIDED ? NO : expected
    assert.equal(classifyMpeg2(Uint8Array.from(bytes), 0, bytes.length, true), whenComplete, name)
  }
})

test('arbitrary bytes are classified without reading outside their range', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.uint8Array(), fc.boolean(), (around, tail, complete) => {
      const body = Uint8Array.from([0, 0, 1, ...tail])
      const joined = Uint8Array.from([...around, ...body, ...SEQUENCE, ...around])
      const expected = classifyMpeg2(body, 0, body.length, complete)
      assert.equal(classifyMpeg2(joined, around.length, around.length + body.length, complete), expected)
    }),
  )
})
