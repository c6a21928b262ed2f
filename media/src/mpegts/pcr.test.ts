import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readOpcrBase, readPcr27M, readPcrBase, writeOpcrBase, writePcrBase } from './pcr.js'
import { mod33, WRAP_90K } from './timestamps.js'

const base = fc.integer({ min: 0, max: WRAP_90K - 1 })

/** A packet with these flags and this adaptation_field_length; the clock fields are all ones. */
function packetWith(flags: number, length: number): Uint8Array {
  const bytes = new Uint8Array(188).fill(0xff)
  bytes.set([0x47, 0x01, 0x00, 0x30, length, flags])
  return bytes
}

test('a PCR is base * 300 + extension', () => {
  const bytes = packetWith(0x10, 7)
  bytes.set([0x12, 0x34, 0x56, 0x78, 0xff, 0x2b], 6)
  const expected = 0x12345678 * 2 + 1
  assert.equal(readPcrBase(bytes, 0), expected)
  assert.equal(readPcr27M(bytes, 0), expected * 300 + 0x12b)
  assert.equal(readPcr27M(packetWith(0x10, 7), 0), (WRAP_90K - 1) * 300 + 0x1ff)
})

test('clocks are present only if both flag and length say so', () => {
  const rows = [
    { name: 'PCR alone', flags: 0x10, length: 7, pcr: true, opcr: false },
    { name: 'PCR truncated', flags: 0x10, length: 6, pcr: false, opcr: false },
    { name: 'OPCR alone', flags: 0x08, length: 7, pcr: false, opcr: true },
    { name: 'OPCR alone truncated', flags: 0x08, length: 6, pcr: false, opcr: false },
    { name: 'both', flags: 0x18, length: 13, pcr: true, opcr: true },
    { name: 'both, OPCR truncated', flags: 0x18, length: 12, pcr: true, opcr: false },
    { name: 'neither', flags: 0xe7, length: 50, pcr: false, opcr: false },
    { name: 'impossible length', flags: 0x18, length: 200, pcr: false, opcr: false },
  ]
  for (const { name, flags, length, pcr, opcr } of rows) {
    const bytes = packetWith(flags, length)
    assert.equal(readPcrBase(bytes, 0) >= 0, pcr, name)
    assert.equal(readPcr27M(bytes, 0) >= 0, pcr, name)
    assert.equal(readOpcrBase(bytes, 0) >= 0, opcr, name)
    writePcrBase(bytes, 0, 1)
    writeOpcrBase(bytes, 0, 2)
    assert.equal(readPcrBase(bytes, 0), pcr ? 1 : -1, name)
    assert.equal(readOpcrBase(bytes, 0), opcr ? 2 : -1, name)
  }
})

test('a written base is read back, and no other bit changes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 188, maxLength: 188 }), base, base, (bytes, pcr, opcr) => {
      bytes.set([0x47, 0x01, 0x00, 0x30, 13, 0x18])
      const before = bytes.slice()
      const extension = readPcr27M(bytes, 0) - readPcrBase(bytes, 0) * 300
      const [oldPcr, oldOpcr] = [readPcrBase(bytes, 0), readOpcrBase(bytes, 0)]
      writePcrBase(bytes, 0, pcr)
      writeOpcrBase(bytes, 0, opcr)
      assert.equal(readPcrBase(bytes, 0), pcr)
      assert.equal(readOpcrBase(bytes, 0), opcr)
      assert.equal(readPcr27M(bytes, 0), pcr * 300 + extension)
      writePcrBase(bytes, 0, oldPcr)
      writeOpcrBase(bytes, 0, oldOpcr)
      assert.deepEqual(bytes, before)
    }),
  )
})

test('a base beyond the clock is written modulo 2^33', () => {
  const bytes = packetWith(0x10, 7)
  for (const value of [-1, WRAP_90K, WRAP_90K * 3 + 5, -WRAP_90K - 7]) {
    writePcrBase(bytes, 0, value)
    assert.equal(readPcrBase(bytes, 0), mod33(value))
  }
})

test('arbitrary packets are read and written within their 188 bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 188, maxLength: 188 }), base, (body, value) => {
      const joined = Uint8Array.from([...body, ...body, ...body])
      assert.equal(readPcr27M(joined, 188), readPcr27M(body, 0))
      assert.equal(readOpcrBase(joined, 188), readOpcrBase(body, 0))
      writePcrBase(joined, 188, value)
      writeOpcrBase(joined, 188, value)
      assert.deepEqual(joined.subarray(0, 188), body)
      assert.deepEqual(joined.subarray(376), body)
      const pcr = readPcrBase(body, 0)
      assert.equal(readPcrBase(joined, 188), pcr < 0 ? -1 : value)
    }),
  )
})
