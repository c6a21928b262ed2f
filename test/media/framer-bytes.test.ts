import assert from 'node:assert/strict'
import { test } from 'node:test'
import { breakSyncByte, buildTs, cutMidPacket, junkBetween, withStride } from '@millrace/engine/testing'
import { MAX_CHUNK_BYTES, MARK_FLAGS, MARK_SIZE, SYNC_BYTE_ERROR, SYNC_LOSS } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { seeded } from '../fuzz/seeded.js'
import { assertSameBytes, concat } from './bytes.js'
import { bytesOf, frame } from './frame.js'
import { allStreams, PACKET } from './streams.js'

const small = buildTs({ durationS: 1, video: { bFrames: 2 } }).bytes
const PIECES = [1, 7, 100, 187, 188, 189, 1316, 65536]

test('the framer returns every packet of every stream, byte for byte, in chunks of whole packets', () => {
  for (const { name, bytes } of allStreams()) {
    const random = seeded(7)
    for (const piece of [1316, 65536, bytes.length, () => Math.floor(random() * 5000)]) {
      const { chunks, counters } = frame(bytes, { piece, flushEvery: 3 })
      assertSameBytes(bytesOf(chunks), bytes, name)
      assert.deepEqual(counters, { packets: bytes.length / PACKET, syncLosses: 0, syncByteErrors: 0, skippedBytes: 0 })
      assertWhole(chunks)
    }
  }
})

test('pieces of any size and strides of 188, 192 and 204 bytes give the same packets', () => {
  const random = seeded(3)
  const sizes = [...PIECES, () => Math.floor(random() * 700)]
  for (const stride of [188, 192, 204] as const) {
    const strided = stride === 188 ? small : withStride(small, stride)
    for (const piece of sizes) {
      for (const flushEvery of [1, 10, Infinity]) {
        const { chunks, counters } = frame(strided, { piece, flushEvery })
        assertSameBytes(bytesOf(chunks), small, `stride ${stride}, pieces of ${String(piece)}`)
        assert.equal(counters.syncLosses, 0)
        assert.equal(counters.packets, small.length / PACKET)
        assertWhole(chunks)
      }
    }
  }
})

test('a stream that begins in mid-packet loses only that packet', () => {
  for (const stride of [188, 192, 204] as const) {
    const strided = stride === 188 ? small : withStride(small, stride)
    for (const from of [1, 4, 5, 100, 187]) {
      const { chunks, counters } = frame(strided.subarray(from), { piece: 1000 })
      // The timestamp of a 192-byte packet precedes the packet.
      const lost = stride === 192 && from <= 4 ? 0 : 1
      assertSameBytes(bytesOf(chunks), small.subarray(lost * PACKET), `stride ${stride} from ${from}`)
      assert.equal(counters.syncLosses, 0)
    }
  }
})

test('the last packets are delivered, even if there are only one or two', () => {
  for (const stride of [188, 192, 204] as const) {
    for (const count of [1, 2, 3, 4]) {
      const bytes = small.subarray(0, count * PACKET)
      const strided = stride === 188 ? bytes : withStride(bytes, stride)
      for (const piece of [1, 188, 10_000]) assertSameBytes(bytesOf(frame(strided, { piece }).chunks), bytes)
    }
  }
})

test('a packet truncated by the end of the stream is dropped and counted', () => {
  for (const piece of [1, 188, 100_000]) {
    const { chunks, counters } = frame(small.subarray(0, 100 * PACKET + 50), { piece })
    assertSameBytes(bytesOf(chunks), small.subarray(0, 100 * PACKET))
    assert.deepEqual(counters, { packets: 100, syncLosses: 0, syncByteErrors: 0, skippedBytes: 50 })
  }
})

test('junk at the start counts as no sync loss, junk in between counts as one each', () => {
  const junk = new Uint8Array(1000).fill(0x11)
  for (const piece of PIECES) {
    const before = frame(concat([junk, small]), { piece })
    assertSameBytes(bytesOf(before.chunks), small)
    assert.deepEqual(
      { ...before.counters, packets: 0 },
      { packets: 0, syncLosses: 0, syncByteErrors: 0, skippedBytes: 1000 },
    )
    for (const size of [1, 100, 187, 189, 1000]) {
      const damaged = junkBetween(small, { every: 40, size })
      const { chunks, counters } = frame(damaged.bytes, { piece })
      assertSameBytes(bytesOf(chunks), small, `${size} bytes of junk, pieces of ${piece}`)
      assert.equal(counters.syncLosses, damaged.count)
      assert.equal(counters.skippedBytes, damaged.count * size)
      assert.equal(countFlag(chunks, SYNC_LOSS), damaged.count)
    }
  }
})

test('a single wrong sync byte costs one packet but not synchronisation', () => {
  for (const piece of PIECES) {
    const damaged = breakSyncByte(small, { every: 30 })
    const { chunks, counters } = frame(damaged.bytes, { piece })
    const left = Array.from({ length: small.length / PACKET }, (_, index) => index * PACKET)
      .filter((offset) => !damaged.offsets.includes(offset))
      .map((offset) => small.subarray(offset, offset + PACKET))
    assertSameBytes(bytesOf(chunks), concat(left))
    assert.equal(counters.syncByteErrors, damaged.count)
    assert.equal(counters.syncLosses, 0)
    assert.equal(countFlag(chunks, SYNC_BYTE_ERROR), damaged.count)
  }
})

test('a wrong sync byte in the very last packet does not lose synchronisation', () => {
  const bytes = small.slice(0, 50 * PACKET)
  bytes[49 * PACKET] = 0
  for (const piece of PIECES) {
    const { chunks, counters } = frame(bytes, { piece })
    assertSameBytes(bytesOf(chunks), bytes.subarray(0, 49 * PACKET))
    assert.equal(counters.syncByteErrors, 1)
    assert.equal(counters.syncLosses, 0)
  }
})

test('a truncated packet is dropped, and the next one is found inside it', () => {
  for (const keep of [1, 50, 187]) {
    const damaged = cutMidPacket(small, { every: 40, keep })
    for (const piece of PIECES) {
      const { chunks, counters } = frame(damaged.bytes, { piece })
      assert.equal(counters.syncLosses, damaged.count, `${keep} bytes kept, pieces of ${piece}`)
      assert.equal(counters.packets, small.length / PACKET - damaged.count)
      assert.equal(countFlag(chunks, SYNC_LOSS), damaged.count)
    }
  }
})

test('bytes without packets yield nothing, however many there are', () => {
  const random = seeded(1)
  const noise = Uint8Array.from({ length: 300_000 }, () => Math.floor(random() * 0x47))
  const { chunks, counters } = frame(noise, { piece: 1000, flushEvery: 1 })
  assert.deepEqual(chunks, [])
  assert.equal(counters.skippedBytes, noise.length)
})

function assertWhole(chunks: readonly TsChunk[]): void {
  for (const [index, { bytes, origin }] of chunks.entries()) {
    assert.ok(bytes.length > 0 && bytes.length <= MAX_CHUNK_BYTES && bytes.length % PACKET === 0)
    assert.equal(origin.seq, index)
    for (let offset = 0; offset < bytes.length; offset += PACKET) assert.equal(bytes[offset], 0x47)
  }
}

function countFlag(chunks: readonly TsChunk[], flag: number): number {
  let count = 0
  for (const { marks } of chunks) {
    for (let at = 0; at < marks.length; at += MARK_SIZE) if (((marks[at + MARK_FLAGS] ?? 0) & flag) !== 0) count++
  }
  return count
}
