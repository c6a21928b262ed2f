import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as pes from './pes.js'
import { mod33, WRAP_90K } from './timestamps.js'

const timestamp = fc.integer({ min: 0, max: WRAP_90K - 1 })

/** A timestamp field by the table of 2.4.3.6, built with BigInt so that it shares nothing with the code. */
function timestampField(prefix: number, ticks: number): number[] {
  const value = BigInt(ticks)
  const bits =
    (BigInt(prefix) << 36n) |
    ((value >> 30n) << 33n) |
    (1n << 32n) |
    (((value >> 15n) & 0x7fffn) << 17n) |
    (1n << 16n) |
    ((value & 0x7fffn) << 1n) |
    1n
  return [32n, 24n, 16n, 8n, 0n].map((shift) => Number((bits >> shift) & 0xffn))
}

function header(streamId: number, flags: number, ...fields: number[]): Uint8Array {
  return Uint8Array.from([0, 0, 1, streamId, 0x12, 0x34, 0x80, flags, fields.length, ...fields, 0xaa, 0xbb])
}

test('timestamps are read from the fields that are present', () => {
  fc.assert(
    fc.property(timestamp, timestamp, (pts, dts) => {
      const both = header(0xe0, 0xc0, ...timestampField(3, pts), ...timestampField(1, dts))
      assert.equal(pes.readPts(both, 0, both.length), pts)
      assert.equal(pes.readDts(both, 0, both.length), dts)
      const one = header(0xc0, 0x80, ...timestampField(2, pts))
      assert.equal(pes.readPts(one, 0, one.length), pts)
      assert.equal(pes.readDts(one, 0, one.length), pts)
    }),
  )
})

test('written timestamps keep prefix and marker bits', () => {
  fc.assert(
    fc.property(timestamp, timestamp, timestamp, timestamp, (pts, dts, newPts, newDts) => {
      const bytes = header(0xe0, 0xc0, ...timestampField(3, pts), ...timestampField(1, dts))
      pes.writePts(bytes, 0, bytes.length, newPts)
      pes.writeDts(bytes, 0, bytes.length, newDts)
      assert.deepEqual(bytes, header(0xe0, 0xc0, ...timestampField(3, newPts), ...timestampField(1, newDts)))
    }),
  )
})

test('a timestamp beyond the clock is written modulo 2^33', () => {
  const bytes = header(0xe0, 0x80, ...timestampField(2, 0))
  for (const value of [-1, WRAP_90K, WRAP_90K + 9]) {
    pes.writePts(bytes, 0, bytes.length, value)
    assert.equal(pes.readPts(bytes, 0, bytes.length), mod33(value))
  }
})

test('without a DTS of its own, writeDts changes nothing', () => {
  const bytes = header(0xe0, 0x80, ...timestampField(2, 1000))
  pes.writeDts(bytes, 0, bytes.length, 5)
  assert.equal(pes.readPts(bytes, 0, bytes.length), 1000)
})

test('damaged or truncated fields count as absent', () => {
  const pts = timestampField(3, 1000)
  const dts = timestampField(1, 900)
  const rows = [
    { name: 'no flags', bytes: header(0xe0, 0x00), end: 11, pts: -1, dts: -1 },
    { name: 'forbidden flags', bytes: header(0xe0, 0x40, ...pts, ...dts), end: 21, pts: -1, dts: -1 },
    {
      name: 'no start code',
      bytes: Uint8Array.from([0, 0, 2, 0xe0, 0, 0, 0x80, 0x80, 5, ...pts]),
      end: 14,
      pts: -1,
      dts: -1,
    },
    { name: 'PTS truncated by the packet', bytes: header(0xe0, 0xc0, ...pts, ...dts), end: 13, pts: -1, dts: -1 },
    { name: 'DTS truncated by the packet', bytes: header(0xe0, 0xc0, ...pts, ...dts), end: 18, pts: 1000, dts: -1 },
    { name: 'whole', bytes: header(0xe0, 0xc0, ...pts, ...dts), end: 19, pts: 1000, dts: 900 },
    { name: 'header length without room for the DTS', bytes: header(0xe0, 0xc0, ...pts), end: 16, pts: 1000, dts: -1 },
    { name: 'header length without room for the PTS', bytes: header(0xe0, 0x80, 1, 2), end: 13, pts: -1, dts: -1 },
    { name: 'flags missing', bytes: header(0xe0, 0xc0, ...pts, ...dts), end: 8, pts: -1, dts: -1 },
    { name: 'padding_stream', bytes: header(0xbe, 0x80, ...pts), end: 16, pts: -1, dts: -1 },
    { name: 'private_stream_2', bytes: header(0xbf, 0x80, ...pts), end: 16, pts: -1, dts: -1 },
    { name: 'ECM', bytes: header(0xf0, 0x80, ...pts), end: 16, pts: -1, dts: -1 },
    { name: 'private_stream_1', bytes: header(0xbd, 0x80, ...pts), end: 16, pts: 1000, dts: 1000 },
  ]
  for (const row of rows) {
    assert.equal(pes.readPts(row.bytes, 0, row.end), row.pts, row.name)
    assert.equal(pes.readDts(row.bytes, 0, row.end), row.dts, row.name)
    const before = row.bytes.slice()
    pes.writePts(row.bytes, 0, row.end, 77)
    pes.writeDts(row.bytes, 0, row.end, 66)
    if (row.pts < 0) assert.deepEqual(row.bytes.subarray(0, 14), before.subarray(0, 14), row.name)
    if (row.dts < 0) assert.deepEqual(row.bytes.subarray(14), before.subarray(14), row.name)
  }
})

test('the elementary stream begins after the header', () => {
  const rows = [
    { name: 'no fields', bytes: header(0xe0, 0x00), end: 11, expected: 9 },
    { name: 'fields and stuffing', bytes: header(0xe0, 0x80, 1, 2, 3, 4, 5, 0xff, 0xff), end: 18, expected: 16 },
    { name: 'continues in the next packet', bytes: header(0xe0, 0x80, 1, 2, 3, 4, 5), end: 12, expected: 12 },
    { name: 'fixed part truncated', bytes: header(0xe0, 0x80), end: 8, expected: 8 },
    { name: 'without optional header', bytes: header(0xbf, 0x80), end: 11, expected: 6 },
    { name: 'no PES packet', bytes: new Uint8Array(20), end: 20, expected: 20 },
  ]
  for (const { name, bytes, end, expected } of rows) assert.equal(pes.pesHeaderEnd(bytes, 0, end), expected, name)
})

test('length and stream_id are read if they are present', () => {
  const bytes = header(0xe3, 0x00)
  assert.equal(pes.pesPacketLength(bytes, 0, bytes.length), 0x1234)
  assert.equal(pes.pesPacketLength(bytes, 0, 5), -1)
  assert.equal(pes.readStreamId(bytes, 0, 4), 0xe3)
  assert.equal(pes.readStreamId(bytes, 0, 3), -1)
  assert.equal(pes.isPesStart(bytes, 1, bytes.length), false)
})

test('bytes outside the payload are neither read nor written', () => {
  const start = fc.constantFrom(
    [],
    [0, 0, 1],
    [0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10],
    [0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5],
  )
  const surroundings = fc.uint8Array({ maxLength: 30 })
  fc.assert(
    fc.property(surroundings, start, fc.uint8Array({ maxLength: 30 }), surroundings, (before, head, rest, after) => {
      const body = Uint8Array.from([...head, ...rest])
      const joined = Uint8Array.from([...before, ...body, ...after])
      const [at, end] = [before.length, before.length + body.length]
      for (const read of [pes.readPts, pes.readDts, pes.pesTimestampFlags, pes.pesPacketLength, pes.isPesStart]) {
        assert.equal(read(joined, at, end), read(body, 0, body.length), read.name)
      }
      assert.equal(pes.pesHeaderEnd(joined, at, end) - at, pes.pesHeaderEnd(body, 0, body.length))
      pes.writePts(joined, at, end, 12345)
      pes.writeDts(joined, at, end, 54321)
      assert.deepEqual(joined.subarray(0, at), before)
      assert.deepEqual(joined.subarray(end), after)
    }),
  )
})
