import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRtpHeader, parseRtp } from '@millrace/media/rtp'
import { DatagramPacker } from './datagram-packer.js'

const bytes = Uint8Array.from({ length: 188 * 30 }, (_, at) => at % 251)

test('bytes are packed into datagrams of one size, whatever the pieces are', () => {
  const sent: Uint8Array[] = []
  const packer = new DatagramPacker(1316, undefined, (datagram) => sent.push(datagram))
  for (let at = 0; at < bytes.length; at += 1000) packer.write(bytes, at, Math.min(at + 1000, bytes.length), 0, 0)
  assert.deepEqual([sent.map(({ length }) => length), packer.hasRest], [[1316, 1316, 1316, 1316], true])
  packer.flush()
  assert.deepEqual(Buffer.concat(sent), Buffer.from(bytes))
})

test('RTP headers count, and carry the time for which the first byte is planned', () => {
  const sent: Uint8Array[] = []
  const numbers = { sequence: 65_535, ssrc: 7, timestamp0: 2 ** 32 - 90 }
  const packer = new DatagramPacker(1316, numbers, (datagram) => sent.push(datagram.slice()))
  packer.write(bytes, 0, 1316, 1, 0)
  packer.write(bytes, 1316, 2000, 2, 0)
  packer.write(bytes, 2000, 2632, 3, 0)
  const headers = sent.map((datagram) => {
    const header = makeRtpHeader()
    assert.ok(parseRtp(datagram, header))
    return [header.payloadType, header.sequence, header.timestamp, header.ssrc, header.end - header.start]
  })
  assert.deepEqual(headers, [
    [33, 65_535, 0, 7, 1316],
    [33, 0, 90, 7, 1316],
  ])
})

test('memory is used again when the system has taken it, and what has no room is dropped', () => {
  const inUse = new Set<Uint8Array>()
  const packer = new DatagramPacker(188, undefined, (datagram) => {
    assert.equal(inUse.has(datagram), false, 'still in use')
    inUse.add(datagram)
  })
  for (let sent = 0; sent < 5000; sent++) packer.write(bytes, 0, 188, 0, 0)
  assert.deepEqual([inUse.size, packer.dropped], [4096, 904])
  packer.write(new Uint8Array(100).fill(255), 0, 100, 0, 0)
  const isChanged = [...inUse].some((datagram) => datagram.some((byte, at) => byte !== bytes[at]))
  assert.equal(isChanged, false, 'what is in use does not change')
  inUse.clear()
  packer.release(4096)
  packer.write(bytes, 0, 88, 0, 0)
  assert.deepEqual([inUse.size, packer.dropped], [1, 904])
})

test('a datagram that had no room leaves a gap in the RTP numbers', () => {
  const numbers = { sequence: 0, ssrc: 7, timestamp0: 0 }
  const sequences: number[] = []
  const header = makeRtpHeader()
  const packer = new DatagramPacker(188, numbers, (datagram) => {
    parseRtp(datagram, header)
    sequences.push(header.sequence)
  })
  for (let sent = 0; sent < 4100; sent++) packer.write(bytes, 0, 188, 0, 0)
  assert.deepEqual([packer.dropped, sequences.length], [4, 4096])
  packer.release(1)
  packer.write(bytes, 0, 188, 0, 0)
  assert.equal(sequences.at(-1), 4100)
})

test('what has been sent is known by its bytes, short datagrams too', () => {
  const packer = new DatagramPacker(1316, undefined, () => undefined)
  for (let round = 0; round < 3; round++) {
    packer.write(bytes, 0, 1316, 0, 0)
    packer.write(bytes, 0, 188, 0, 0)
    packer.flush()
    packer.write(bytes, 0, 1316, 0, 0)
    packer.write(bytes, 0, 376, 0, 0)
    assert.deepEqual([packer.release(2), packer.release(1)], [1504, 1316])
    packer.flush()
    assert.equal(packer.release(1), 376)
  }
})

test('large datagrams that the system has not taken cost no more memory than small ones', () => {
  const size = 348 * 188
  const packer = new DatagramPacker(size, undefined, () => undefined)
  for (let sent = 0; sent < 1000; sent++) packer.write(new Uint8Array(size), 0, size, 0, 0)
  assert.equal((1000 - packer.dropped) * size < 8 * 1024 * 1024, true)
})

test('what is unfinished goes to the packer that follows', () => {
  const sent: Uint8Array[] = []
  const [first, second] = [1316, 1316].map(
    (size) => new DatagramPacker(size, undefined, (datagram) => sent.push(datagram)),
  )
  first?.write(bytes, 0, 500, 1, 0)
  const rest = first?.takeRest()
  assert.equal(first?.hasRest, false)
  second?.write(rest?.bytes ?? bytes, 0, 500, rest?.dueMs ?? 0, 0)
  second?.write(bytes, 500, 1316, 2, 0)
  assert.deepEqual(Buffer.concat(sent), Buffer.from(bytes.subarray(0, 1316)))
})
