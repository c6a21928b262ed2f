import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32Delta, crc32Mpeg } from './crc32.js'

test('the check value of CRC-32/MPEG-2 is right', () => {
  assert.equal(crc32Mpeg(new TextEncoder().encode('123456789'), 0, 9), 0x0376e6e7)
})

test('the CRC over a section including its own CRC is 0', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (body) => {
      const section = new Uint8Array(body.length + 4)
      section.set(body)
      new DataView(section.buffer).setUint32(body.length, crc32Mpeg(body, 0, body.length))
      assert.equal(crc32Mpeg(section, 0, section.length), 0)
    }),
  )
})

test('only the bytes in the range count', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), fc.uint8Array(), (before, body, after) => {
      const joined = Uint8Array.from([...before, ...body, ...after])
      const crc = crc32Mpeg(joined, before.length, before.length + body.length)
      assert.equal(crc, crc32Mpeg(body, 0, body.length))
    }),
  )
})

test('changed bytes are XORed into the CRC without the rest of the section', () => {
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.array(change, { maxLength: 5 }),
      (body, changes) => {
        let crc = crc32Mpeg(body, 0, body.length)
        for (const [position, xorByte] of changes) {
          const at = position % body.length
          body[at] = body[at]! ^ xorByte
          crc = (crc ^ crc32Delta(xorByte, body.length - 1 - at)) >>> 0
        }
        assert.equal(crc, crc32Mpeg(body, 0, body.length))
      },
    ),
  )
})
