import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NOT_RANDOM_ACCESS as NO, RANDOM_ACCESS_PICTURE as YES, UNDECIDED } from '../mpegts/picture.js'
import { classifyH265 } from './random-access.js'

function nal(type: number, layer = 0): number[] {
  return [0, 0, 0, 1, (type << 1) | (layer >>> 5), ((layer & 0x1f) << 3) | 1, 0xaf]
}

const HEAD = [...nal(35), ...nal(32), ...nal(33), ...nal(34), ...nal(39)]

test('IRAP pictures are random access points, other pictures are not', () => {
  for (let type = 0; type <= 31; type++) {
    const bytes = Uint8Array.from([...HEAD, ...nal(type)])
    assert.equal(classifyH265(bytes, 0, bytes.length, false), type >= 16 && type <= 23 ? YES : NO, `type ${type}`)
  }
})

test('only the base layer decides', () => {
  const bytes = Uint8Array.from([...HEAD, ...nal(1, 1), ...nal(0, 33), ...nal(19)])
  assert.equal(classifyH265(bytes, 0, bytes.length, false), YES)
})

test('the result is undecided until both bytes of the header have arrived', () => {
  const bytes = Uint8Array.from([...HEAD, ...nal(21)])
  for (let end = 0; end < bytes.length - 1; end++) assert.equal(classifyH265(bytes, 0, end, false), UNDECIDED)
  assert.equal(classifyH265(bytes, 0, bytes.length - 1, false), YES)
  assert.equal(classifyH265(bytes, 0, HEAD.length, true), NO)
})

test('arbitrary bytes are classified without reading outside their range', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.uint8Array(), fc.boolean(), (around, tail, complete) => {
      const body = Uint8Array.from([0, 0, 1, ...tail])
      const joined = Uint8Array.from([...around, ...body, 0, 0, 1, 38, 1, ...around])
      const expected = classifyH265(body, 0, body.length, complete)
      assert.equal(classifyH265(joined, around.length, around.length + body.length, complete), expected)
    }),
  )
})
