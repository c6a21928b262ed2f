import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Track } from './chunk.js'
import { chunkOf, packetOf, pesOf, tablesOf, VIDEO_PID } from './packets.test.kit.js'
import { ProgramTable } from './program-table.js'
import { areSameTracks, TrackFollower } from './track-follower.js'

const KEY = [0x40]

/** A key picture with an SPS that contains this byte; its slice is in the second packet. */
function keyChunk(sps: number, isCutOff = false): ReturnType<typeof chunkOf> {
  const payload = pesOf(0xe0, 9000, 0, [0, 0, 1, 0x67, 77, 0, sps, 0xac, 0, 0, 1, 0x68, 1])
  const first = packetOf({ pid: VIDEO_PID, counter: 0, unitStart: true, payload, field: KEY })
  const second = packetOf({ pid: VIDEO_PID, counter: 1, payload: [0, 0, 1, 0x65, 0x88] })
  return isCutOff ? chunkOf(tablesOf(0), first) : chunkOf(tablesOf(0), first, second)
}

function hashAfter(...chunks: readonly ReturnType<typeof chunkOf>[]): number {
  const table = new ProgramTable()
  const follower = new TrackFollower(table)
  for (const chunk of chunks) {
    table.follow(chunk)
    follower.follow(chunk)
  }
  return follower.tracks(table.select())[0]!.parameterSets
}

test('the hash of a track distinguishes its parameter sets', () => {
  assert.notEqual(hashAfter(keyChunk(1)), 0)
  assert.equal(hashAfter(keyChunk(1)), hashAfter(keyChunk(2), keyChunk(1)))
  assert.notEqual(hashAfter(keyChunk(1)), hashAfter(keyChunk(2)))
})

test('parameter sets in a PES packet of their own count for the picture in the next one', () => {
  const sets = pesOf(0xe0, 9000, 0, [0, 0, 1, 0x67, 77, 0, 1, 0xac, 0, 0, 1, 0x68, 1])
  const slice = pesOf(0xe0, 9000, 0, [0, 0, 1, 0x65, 0x88])
  const first = packetOf({ pid: VIDEO_PID, counter: 0, unitStart: true, payload: sets, field: KEY })
  const second = packetOf({ pid: VIDEO_PID, counter: 1, unitStart: true, payload: slice })
  assert.equal(hashAfter(chunkOf(tablesOf(0), first, second)), hashAfter(keyChunk(1)))
})

test('a picture whose parameter sets are incomplete in the chunk changes nothing', () => {
  assert.equal(hashAfter(keyChunk(1), keyChunk(2, true)), hashAfter(keyChunk(1)))
  assert.equal(hashAfter(keyChunk(1, true)), 0)
})

test('tracks are equal if PID, type, codec and parameter sets are', () => {
  const track: Track = { pid: 1, streamType: 0x1b, media: 'video', codec: 'h264', language: '', parameterSets: 5 }
  assert.ok(areSameTracks([track], [{ ...track, language: 'eng' }]))
  assert.ok(areSameTracks([track], [{ ...track, parameterSets: 0 }]))
  for (const change of [{ pid: 2 }, { streamType: 0x24 }, { codec: 'h265' }, { parameterSets: 6 }]) {
    assert.ok(!areSameTracks([track], [{ ...track, ...change }]))
  }
  assert.ok(!areSameTracks([track], []))
})
