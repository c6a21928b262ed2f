import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeRtpHeader, parseRtp, renderRtpHeader, RTP_HEADER_BYTES } from './rtp-header.js'

const cases: readonly { name: string; bytes: number[]; payload?: [start: number, end: number] }[] = [
  { name: 'a plain header', bytes: [0x80, 33, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x47], payload: [12, 13] },
  { name: 'no payload', bytes: [0x80, 33, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3], payload: [12, 12] },
  { name: 'two CSRC', bytes: [0x82, 33, ...zeros(18), 0x47], payload: [20, 21] },
  {
    name: 'an extension of one word',
    bytes: [0x90, 33, ...zeros(10), 0, 0, 0, 1, ...zeros(4), 0x47],
    payload: [20, 21],
  },
  { name: 'padding of three bytes', bytes: [0xa0, 33, ...zeros(10), 0x47, 0x48, 0, 0, 3], payload: [12, 14] },
  { name: 'version 1', bytes: [0x40, 33, ...zeros(11)] },
  { name: 'eleven bytes', bytes: [0x80, 33, ...zeros(9)] },
  { name: 'nothing', bytes: [] },
  { name: 'CSRC behind the end', bytes: [0x8f, 33, ...zeros(12)] },
  { name: 'an extension that is cut off', bytes: [0x90, 33, ...zeros(12)] },
  { name: 'an extension of 65535 words', bytes: [0x90, 33, ...zeros(10), 0, 0, 0xff, 0xff, 0x47] },
  { name: 'padding longer than the payload', bytes: [0xa0, 33, ...zeros(10), 0x47, 9] },
  { name: 'padding of 0', bytes: [0xa0, 33, ...zeros(10), 0x47, 0] },
]

for (const { name, bytes, payload } of cases) {
  test(`${name} is ${payload === undefined ? 'not RTP' : 'RTP'}`, () => {
    const header = makeRtpHeader()
    assert.equal(parseRtp(Uint8Array.from(bytes), header), payload !== undefined)
    assert.deepEqual([header.start, header.end], payload ?? [0, 0])
  })
}

test('what is rendered is read again', () => {
  const fields = fc.record({
    payloadType: fc.integer({ min: 0, max: 127 }),
    sequence: fc.integer({ min: 0, max: 0xffff }),
    timestamp: fc.integer({ min: 0, max: 0xffffffff }),
    ssrc: fc.integer({ min: 0, max: 0xffffffff }),
    length: fc.integer({ min: 0, max: 2000 }),
  })
  fc.assert(
    fc.property(fields, ({ length, ...given }) => {
      const bytes = new Uint8Array(RTP_HEADER_BYTES + length)
      renderRtpHeader(bytes, { ...given, start: 0, end: 0 })
      const header = makeRtpHeader()
      assert.equal(parseRtp(bytes, header), true)
      assert.deepEqual(header, { ...given, start: RTP_HEADER_BYTES, end: bytes.length })
    }),
  )
})

test('whatever the bytes are, the payload lies inside of them, and a refusal changes nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (bytes, isVersion2) => {
      if (isVersion2 && bytes.length > 0) bytes[0] = 0x80 | (bytes[0]! & 0x3f)
      const header = makeRtpHeader()
      if (!parseRtp(bytes, header)) return assert.deepEqual(header, makeRtpHeader())
      assert.ok(header.start >= RTP_HEADER_BYTES && header.start <= header.end && header.end <= bytes.length)
    }),
    { numRuns: 2000 },
  )
})

function zeros(count: number): number[] {
  return Array.from({ length: count }, () => 0)
}
