import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PACKET_SIZE, writePts } from '@millrace/media/mpegts'
import { SentTimes } from './sent-times.js'

/** A packet in which a unit with this time begins; without a time one that goes on. */
function packet(pts90k?: number): Uint8Array {
  const bytes = new Uint8Array(PACKET_SIZE)
  bytes.set([0x47, pts90k === undefined ? 1 : 0x41, 0, 0x10])
  if (pts90k === undefined) return bytes
  bytes.set([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1], 4)
  writePts(bytes, 4, PACKET_SIZE, pts90k)
  return bytes
}

const WRAP = 2 ** 33
for (const { name, times, newest } of [
  { name: 'the greatest of all, in whichever order they come', times: [9000, 18_000, 12_600], newest: 18_000 },
  { name: 'that behind the end of the 33 bits', times: [WRAP - 9000, 1800, WRAP - 1800], newest: 1800 },
  { name: 'that behind a jump back', times: [9_000_000, 1800, 3600], newest: 3600 },
  { name: 'none', times: [], newest: -1 },
]) {
  test(`the newest time is ${name}, however the bytes are cut`, () => {
    const all = Buffer.concat([packet(), ...times.flatMap((time) => [packet(time), packet()])])
    for (const size of [1, 100, PACKET_SIZE, 300, all.length]) {
      const sent = new SentTimes()
      for (let at = 0; at < all.length; at += size) sent.note(0, all.subarray(at, at + size))
      assert.equal(sent.newest90k, newest, `pieces of ${size} bytes`)
    }
  })
}
