import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs, withStride } from '@millrace/engine/testing'
import { PacketSearch, SEARCH_BYTES } from './packet-search.js'

const stream = buildTs({ durationS: 1 }).bytes
/** Its length keeps every G (0x47) out of step with the others when it is repeated. */
const JUNK = Buffer.from('<html><body>GGGG G G no stream in here</body></html>')

function pushAll(search: PacketSearch, bytes: Uint8Array, step: number): Buffer {
  const out: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += step) out.push(...search.push(bytes.subarray(at, at + step)))
  return Buffer.concat(out.map((part) => part.slice()))
}

test('a stream passes byte for byte, in pieces of any size', () => {
  for (const step of [1, 7, 188, 1000, 1316, 4096, stream.length]) {
    const search = new PacketSearch()
    assert.deepEqual(pushAll(search, stream, step), Buffer.from(stream), `pieces of ${step}`)
    assert.ok(search.isFound)
  }
})

test('packets of 192 and 204 bytes are found too', () => {
  for (const stride of [192, 204] as const) {
    const bytes = withStride(stream, stride)
    const search = new PacketSearch()
    assert.deepEqual(pushAll(search, bytes, 500), Buffer.from(bytes))
  }
})

test('bytes before the first packet are passed on with it, for the framer to count', () => {
  const bytes = Buffer.concat([JUNK, stream])
  for (const step of [1, 500, bytes.length]) assert.deepEqual(pushAll(new PacketSearch(), bytes, step), bytes)
})

test('bytes without packets are never passed on, and the search ends at 64 KiB', () => {
  const junk = Buffer.alloc(SEARCH_BYTES + 5000, JUNK)
  for (const step of [1, 999, junk.length]) {
    const search = new PacketSearch()
    assert.equal(pushAll(search, junk.subarray(0, SEARCH_BYTES - 1), step).length, 0)
    assert.equal(search.isExhausted, false)
    assert.equal(search.push(junk.subarray(0, 10)).length, 0)
    assert.equal(search.isExhausted, true)
    assert.deepEqual(search.end(), [])
  }
})

test('a body of a single packet is found at its end; less is not', () => {
  const one = new PacketSearch()
  assert.deepEqual(one.push(stream.subarray(0, 188)), [])
  assert.deepEqual(one.end(), [stream.slice(0, 188)])
  const less = new PacketSearch()
  assert.equal(less.isEmpty, true)
  less.push(stream.subarray(0, 187))
  assert.equal(less.isEmpty, false)
  assert.deepEqual(less.end(), [])
})
