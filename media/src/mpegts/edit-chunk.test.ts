import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitChunk, withoutPackets } from './edit-chunk.js'
import { HAS_PCR, LAST_OF_PID, MARK_SIZE, RANDOM_ACCESS, UNIT_START } from './marks.js'
import { NULL_PID, PACKET_SIZE } from './packet.js'
import { AUDIO_PID, chunkOf, IDR, packetOf, pesOf, recordsOf, SETS, tablesOf, VIDEO_PID } from './packets.test.kit.js'

const PCR_AND_RANDOM_ACCESS = [0x50, 0, 0, 0, 0, 0x7e, 0]
const chunk = chunkOf(
  tablesOf(0),
  packetOf({
    pid: VIDEO_PID,
    counter: 0,
    unitStart: true,
    payload: pesOf(0xe0, 9000, 0, [...SETS, ...IDR]),
    field: PCR_AND_RANDOM_ACCESS,
  }),
  packetOf({ pid: AUDIO_PID, counter: 0, unitStart: true, payload: pesOf(0xc0, 9000) }),
  packetOf({ pid: VIDEO_PID, counter: 1 }),
  packetOf({ pid: NULL_PID, counter: 0 }),
  packetOf({ pid: AUDIO_PID, counter: 1 }),
)

function dropping(...packets: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: chunk.bytes.length / PACKET_SIZE }, (_, at) => (packets.includes(at) ? 1 : 0))
}

test('without packets to drop, the same chunk is returned', () => {
  assert.equal(withoutPackets(chunk, dropping()), chunk)
  assert.equal(withoutPackets(chunk, new Uint8Array(7).fill(1)), undefined)
})

test('marks move with their packets, and LAST_OF_PID moves to the new last packets', () => {
  const rest = withoutPackets(chunk, dropping(4, 6))!
  assert.equal(rest.bytes.length, 5 * PACKET_SIZE)
  assert.deepEqual(
    recordsOf(rest)
      .slice(2)
      .map(({ packet, pid, flags }) => [packet, pid, flags]),
    [
      [2, VIDEO_PID, UNIT_START | HAS_PCR | RANDOM_ACCESS | LAST_OF_PID],
      [3, AUDIO_PID, UNIT_START | LAST_OF_PID],
    ],
  )
  assert.deepEqual(
    rest.bytes.subarray(3 * PACKET_SIZE, 4 * PACKET_SIZE),
    chunk.bytes.subarray(3 * PACKET_SIZE, 4 * PACKET_SIZE),
  )
})

test('a chunk whose key picture is dropped is not a random access point', () => {
  assert.equal(chunk.randomAccess, true)
  assert.equal(withoutPackets(chunk, dropping(3))!.randomAccess, true)
  assert.equal(withoutPackets(chunk, dropping(2, 4))!.randomAccess, false)
  assert.equal(withoutPackets(chunk, dropping(0, 1))!.randomAccess, true)
})

test('both parts of a split have correct marks, and only the first has the flags of the chunk', () => {
  const broken = { ...chunk, discontinuity: 'source' } as const
  const [before, after] = splitChunk(broken, 4 * PACKET_SIZE)
  assert.deepEqual([before.bytes.length, after.bytes.length], [4 * PACKET_SIZE, 3 * PACKET_SIZE])
  assert.deepEqual([before.discontinuity, after.discontinuity], ['source', false])
  assert.deepEqual([before.randomAccess, after.randomAccess], [true, false])
  assert.ok(recordsOf(before).every(({ flags }) => (flags & LAST_OF_PID) !== 0))
  assert.deepEqual(
    recordsOf(after).map(({ packet, pid }) => [packet, pid]),
    [
      [0, VIDEO_PID],
      [2, AUDIO_PID],
    ],
  )
  assert.equal(after.marks.length, 2 * MARK_SIZE)
})
