import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseProxyHeader, type ProxyReading, type ProxyVersion } from './proxy-header.js'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const MORE: ProxyReading = { state: 'more' }
const BAD: ProxyReading = { state: 'bad' }

function done(length: number, address?: string, port = 0): ProxyReading {
  return { state: 'done', length, client: address === undefined ? undefined : { address, port } }
}

function v2(hex: string): Buffer {
  return Buffer.from(SIGNATURE + hex.replaceAll(' ', ''), 'hex')
}

const v1Rows: readonly { name: string; text: string; reading: ProxyReading }[] = [
  { name: 'TCP4', text: 'PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n', reading: done(45, '192.0.2.1', 56_324) },
  { name: 'TCP6', text: 'PROXY TCP6 2001:DB8::1 ::1 1 65535\r\n', reading: done(36, '2001:db8::1', 1) },
  {
    name: 'a header with bytes after it',
    text: 'PROXY TCP4 1.2.3.4 1.2.3.4 0 0\r\nGET /',
    reading: done(32, '1.2.3.4', 0),
  },
  { name: 'an unknown client', text: 'PROXY UNKNOWN\r\n', reading: done(15) },
  { name: 'an unknown client with addresses', text: 'PROXY UNKNOWN ffff:f::1 ffff::1 1 2\r\n', reading: done(37) },
  { name: 'a part', text: 'PROXY TCP4 192.0', reading: MORE },
  { name: 'nothing', text: '', reading: MORE },
  { name: 'HTTP', text: 'GET / HTTP/1.1\r\n', reading: BAD },
  { name: 'one wrong letter', text: 'PROXYTCP4', reading: BAD },
  { name: 'small letters', text: 'proxy TCP4', reading: BAD },
  { name: 'UDP', text: 'PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n', reading: BAD },
  { name: 'IPv6 as TCP4', text: 'PROXY TCP4 ::1 ::1 1 2\r\n', reading: BAD },
  { name: 'IPv4 as TCP6', text: 'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n', reading: BAD },
  { name: 'a port too large', text: 'PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n', reading: BAD },
  { name: 'a port with a leading zero', text: 'PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n', reading: BAD },
  { name: 'two spaces', text: 'PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n', reading: BAD },
  { name: 'a missing port', text: 'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n', reading: BAD },
  { name: 'LF alone', text: 'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n', reading: BAD },
  { name: 'a line that never ends', text: `PROXY UNKNOWN ${'x'.repeat(93)}`, reading: BAD },
]

for (const { name, text, reading } of v1Rows) {
  test(`version 1: reads ${name}`, () => assert.deepEqual(parseProxyHeader(Buffer.from(text), 'v1'), reading))
}

const TCP4 = 'c0000201 c6336401 dc04 01bb'
const TCP6 = '20010db8000000000000000000000001 20010db8000000000000000000000002 dc04 01bb'
const MAPPED = '00000000000000000000ffffc0000201 00000000000000000000ffffc6336401 dc04 01bb'

const v2Rows: readonly { name: string; hex: string; reading: ProxyReading }[] = [
  { name: 'TCP over IPv4', hex: `21 11 000c ${TCP4}`, reading: done(28, '192.0.2.1', 56_324) },
  { name: 'TCP over IPv6', hex: `21 21 0024 ${TCP6}`, reading: done(52, '2001:db8::1', 56_324) },
  { name: 'IPv4 mapped into IPv6', hex: `21 21 0024 ${MAPPED}`, reading: done(52, '192.0.2.1', 56_324) },
  { name: 'TLVs skipped', hex: `21 11 0013 ${TCP4} 04 0004 00000000 16 03`, reading: done(35, '192.0.2.1', 56_324) },
  { name: 'LOCAL', hex: '20 00 0000', reading: done(16) },
  { name: 'LOCAL with data after it', hex: '20 11 0003 aabbcc', reading: done(19) },
  { name: 'an unspecified family', hex: '21 00 0002 aabb', reading: done(18) },
  { name: 'a UNIX socket', hex: `21 31 00d8 ${'00'.repeat(216)}`, reading: done(232) },
  { name: 'the signature alone', hex: '', reading: MORE },
  { name: 'a part of the addresses', hex: '21 11 000c c000', reading: MORE },
  { name: 'another version', hex: `11 11 000c ${TCP4}`, reading: BAD },
  { name: 'an unknown command', hex: `22 11 000c ${TCP4}`, reading: BAD },
  { name: 'UDP', hex: `21 12 000c ${TCP4}`, reading: BAD },
  { name: 'an unknown family', hex: `21 41 000c ${TCP4}`, reading: BAD },
  { name: 'too short for its addresses', hex: '21 11 000b', reading: BAD },
  { name: 'longer than any balancer sends', hex: '21 11 1001', reading: BAD },
]

for (const { name, hex, reading } of v2Rows) {
  test(`version 2: reads ${name}`, () => assert.deepEqual(parseProxyHeader(v2(hex), 'v2'), reading))
}

test('neither version accepts the other', () => {
  assert.deepEqual(parseProxyHeader(Buffer.from('PROXY UNKNOWN\r\n'), 'v2'), BAD)
  assert.deepEqual(parseProxyHeader(v2('20 00 0000'), 'v1'), BAD)
})

test('every proper prefix of a header is incomplete', () => {
  const whole: readonly [Buffer, ProxyVersion][] = [
    [Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n'), 'v1'],
    [v2(`21 21 0024 ${TCP6}`), 'v2'],
  ]
  for (const [bytes, version] of whole) {
    for (let length = 0; length < bytes.length; length++) {
      assert.deepEqual(parseProxyHeader(bytes.subarray(0, length), version), MORE)
    }
  }
})

test('never throws, reads nothing outside the bytes, and needs nothing after the header', () => {
  const start = fc.constantFrom(
    Buffer.alloc(0),
    Buffer.from('PROXY '),
    Buffer.from('PROXY TCP4 1.2.3.4 '),
    v2(''),
    v2('2111'),
  )
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 300 }), fc.constantFrom('v1', 'v2'), (head, tail, version) => {
      const around = Buffer.concat([Buffer.from([1, 2, 3]), head, tail, Buffer.from('\r\nPROXY')])
      const bytes = around.subarray(3, 3 + head.length + tail.length)
      const reading = parseProxyHeader(bytes, version)
      assert.deepEqual(parseProxyHeader(Buffer.from(bytes), version), reading)
      if (reading.state !== 'done') return
      assert.ok(reading.length <= bytes.length)
      assert.deepEqual(parseProxyHeader(bytes.subarray(0, reading.length), version), reading)
    }),
  )
})
