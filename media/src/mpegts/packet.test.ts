import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as packet from './packet.js'

/** A packet of these bytes, the rest 0xff. */
function packetOf(...head: number[]): Uint8Array {
  const bytes = new Uint8Array(packet.PACKET_SIZE).fill(0xff)
  bytes.set(head)
  return bytes
}

const readers = [
  packet.readPid,
  packet.isUnitStart,
  packet.hasTransportError,
  packet.isScrambled,
  packet.hasPayload,
  packet.hasAdaptationField,
  packet.readCounter,
  packet.adaptationLength,
  packet.readAdaptationFlags,
  packet.hasDiscontinuityIndicator,
  packet.hasRandomAccessIndicator,
  packet.hasPcr,
]

test('the fields of the header are read', () => {
  const bytes = packetOf(0x47, 0x5f, 0xab, 0x1d)
  assert.equal(packet.readPid(bytes, 0), 0x1fab)
  assert.equal(packet.isUnitStart(bytes, 0), true)
  assert.equal(packet.hasTransportError(bytes, 0), false)
  assert.equal(packet.isScrambled(bytes, 0), false)
  assert.equal(packet.hasPayload(bytes, 0), true)
  assert.equal(packet.hasAdaptationField(bytes, 0), false)
  assert.equal(packet.readCounter(bytes, 0), 13)
  const damaged = packetOf(0x47, 0x80, 0x00, 0xa0)
  assert.equal(packet.hasTransportError(damaged, 0), true)
  assert.equal(packet.isScrambled(damaged, 0), true)
  assert.equal(packet.hasPayload(damaged, 0), false)
  assert.equal(packet.isUnitStart(damaged, 0), false)
})

test('the payload begins after the adaptation field, or at the end of the packet', () => {
  const rows = [
    { name: 'payload only', head: [0x47, 0, 0, 0x10], payload: 4, length: 0 },
    { name: 'empty adaptation field', head: [0x47, 0, 0, 0x30, 0], payload: 5, length: 0 },
    { name: 'adaptation field of 7', head: [0x47, 0, 0, 0x30, 7], payload: 12, length: 7 },
    { name: 'one byte of payload', head: [0x47, 0, 0, 0x30, 182], payload: 187, length: 182 },
    { name: 'adaptation field that leaves no payload', head: [0x47, 0, 0, 0x30, 183], payload: 188, length: 183 },
    { name: 'adaptation field out of range', head: [0x47, 0, 0, 0x30, 255], payload: 188, length: 183 },
    { name: 'adaptation field only', head: [0x47, 0, 0, 0x20, 183], payload: 188, length: 183 },
    { name: 'adaptation field only, too short', head: [0x47, 0, 0, 0x20, 10], payload: 188, length: 10 },
    { name: 'reserved control', head: [0x47, 0, 0, 0x00, 1], payload: 188, length: 0 },
  ]
  for (const { name, head, payload, length } of rows) {
    assert.equal(packet.payloadOffset(packetOf(...head), 0), payload, name)
    assert.equal(packet.adaptationLength(packetOf(...head), 0), length, name)
  }
})

test('flags count only in an adaptation field that has room for them', () => {
  const rows = [
    { name: 'all flags', head: [0x47, 0, 0, 0x30, 20, 0xff], discontinuity: true, randomAccess: true, pcr: true },
    { name: 'no flags', head: [0x47, 0, 0, 0x30, 20, 0x00], discontinuity: false, randomAccess: false, pcr: false },
    { name: 'empty', head: [0x47, 0, 0, 0x30, 0, 0xff], discontinuity: false, randomAccess: false, pcr: false },
    { name: 'none', head: [0x47, 0, 0, 0x10, 20, 0xff], discontinuity: false, randomAccess: false, pcr: false },
    { name: 'too long', head: [0x47, 0, 0, 0x30, 184, 0xff], discontinuity: false, randomAccess: false, pcr: false },
    {
      name: 'no room for a PCR',
      head: [0x47, 0, 0, 0x30, 6, 0xff],
      discontinuity: true,
      randomAccess: true,
      pcr: false,
    },
    { name: 'just enough', head: [0x47, 0, 0, 0x20, 7, 0x10], discontinuity: false, randomAccess: false, pcr: true },
  ]
  for (const { name, head, discontinuity, randomAccess, pcr } of rows) {
    const bytes = packetOf(...head)
    assert.equal(packet.hasDiscontinuityIndicator(bytes, 0), discontinuity, name)
    assert.equal(packet.hasRandomAccessIndicator(bytes, 0), randomAccess, name)
    assert.equal(packet.hasPcr(bytes, 0), pcr, name)
  }
})

test('writeCounter changes the counter and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 188, maxLength: 188 }), fc.nat(100), (bytes, counter) => {
      const before = bytes.slice()
      packet.writeCounter(bytes, 0, counter)
      assert.equal(packet.readCounter(bytes, 0), counter % 16)
      bytes[3] = (bytes[3]! & 0xf0) | (before[3]! & 0x0f)
      assert.deepEqual(bytes, before)
    }),
  )
})

test('188 arbitrary bytes are read the same at any offset', () => {
  const packetBytes = fc.uint8Array({ minLength: 188, maxLength: 188 })
  fc.assert(
    fc.property(fc.uint8Array(), packetBytes, fc.uint8Array(), (before, body, after) => {
      const joined = Uint8Array.from([...before, ...body, ...after])
      for (const read of readers) assert.equal(read(joined, before.length), read(body, 0), read.name)
      const payload = packet.payloadOffset(body, 0)
      assert.equal(packet.payloadOffset(joined, before.length), before.length + payload)
      assert.ok(payload >= 4 && payload <= packet.PACKET_SIZE)
    }),
  )
})
