import assert from 'node:assert/strict'
import { createDecipheriv, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { SegmentEncryption } from './segment-encryption.js'

const KEY = { key: randomBytes(16), iv: randomBytes(16) }

function decrypt(parts: readonly Uint8Array[]): Buffer {
  const cipher = createDecipheriv('aes-128-cbc', KEY.key, KEY.iv)
  return Buffer.concat([cipher.update(Buffer.concat(parts)), cipher.final()])
}

test('segments come back as they were, however they are cut in parts and slices', () => {
  const segments = fc.array(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 6 }), { maxLength: 4 })
  fc.assert(
    fc.property(segments, fc.integer({ min: 1, max: 200 }), (plain, slice) => {
      const encryption = new SegmentEncryption(plain, KEY)
      while (!encryption.isDone) encryption.encrypt(slice)
      assert.equal(encryption.segments.length, plain.length)
      for (const [index, parts] of plain.entries()) {
        const encrypted = encryption.segments[index]!
        assert.deepEqual(decrypt(encrypted), Buffer.concat(parts))
        assert.equal(Buffer.concat(encrypted).length % 16, 0)
      }
    }),
  )
})

test('a slice is not much longer than it should be, and all at once is possible', () => {
  const parts = Array.from({ length: 100 }, () => new Uint8Array(1000))
  const encryption = new SegmentEncryption([parts, parts], KEY)
  encryption.encrypt(10_000)
  const made = Buffer.concat(encryption.segments[0]!).length
  assert.ok(made > 9000 && made <= 11_000, `${made} bytes`)
  assert.equal(encryption.isDone, false)
  encryption.encrypt(Infinity)
  assert.equal(encryption.isDone, true)
  assert.equal(Buffer.concat(encryption.segments[1]!).length, 100_016 - (100_000 % 16))
})
