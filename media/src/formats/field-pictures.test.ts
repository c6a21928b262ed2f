import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countFields } from './field-pictures.js'

/** picture_coding_extension with this picture_structure. */
const extension = (structure: number): number[] => [0, 0, 1, 0xb5, 0x8f, 0xff, 0xf0 | structure, 0x80]
const PICTURE = [0, 0, 1, 0, 0, 8]

test('fields of MPEG-2 are counted, and pictures of other kinds are none', () => {
  const rows = [
    { bytes: [...PICTURE, ...extension(1)], fields: 1 },
    { bytes: [...PICTURE, ...extension(1), ...PICTURE, ...extension(2)], fields: 2 },
    { bytes: [...PICTURE, ...extension(3), ...PICTURE, ...extension(1)], fields: 0 },
    { bytes: PICTURE, fields: 0 },
    { bytes: [], fields: 0 },
  ]
  for (const { bytes, fields } of rows) assert.equal(countFields('mpeg2video', Uint8Array.from(bytes)), fields)
  assert.equal(countFields('h265', Uint8Array.from(rows[0]!.bytes)), 0)
})

test('of any bytes there is a number of fields', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom([0, 0, 1, 0x67, 77, 0, 30], [0, 0, 1, 0x65], [0, 0, 1, 0xb5, 0x80], [0, 0, 1, 9, 0xf0]),
      fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }),
    ),
  )
  fc.assert(
    fc.property(pieces, fc.constantFrom('h264', 'mpeg2video', 'h265'), (parts, codec) => {
      const fields = countFields(codec, Uint8Array.from(parts.flat()))
      assert.ok(fields >= 0 && fields <= parts.flat().length)
    }),
  )
})
