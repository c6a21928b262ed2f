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
  inUse.clear()
  packer.release(4096)
  packer.write(bytes, 0, 188, 0, 0)
  assert.equal(packer.dropped, 904)
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
