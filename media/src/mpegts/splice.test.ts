import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PACKET_SIZE, readCounter, readPid } from './packet.js'
import { AUDIO_PID, chunkOf, joined, packetOf, PMT_PID, tablesOf, VIDEO_PID } from './packets.test.kit.js'
import { SpliceTracker } from './splice.js'

function listOf(packets: Uint8Array): number[][] {
  const list: number[][] = []
  for (let at = 0; at < packets.length; at += PACKET_SIZE) list.push([readPid(packets, at), readCounter(packets, at)])
  return list
}

const chunk = chunkOf(
  tablesOf(4),
  packetOf({ pid: VIDEO_PID, counter: 15 }),
  packetOf({ pid: AUDIO_PID, counter: 7 }),
  tablesOf(5),
)

test('the preamble is PAT and PMT, with the counters that precede the next ones', () => {
  const tracker = new SpliceTracker()
  tracker.follow(chunk)
  assert.deepEqual(tracker.preamble(), tablesOf(5))
})

test('the bridge announces the discontinuity of each PID, followed by the preamble', () => {
  const tracker = new SpliceTracker()
  tracker.follow(chunk)
  const bridge = tracker.bridge()
  assert.deepEqual(listOf(bridge), [
    [VIDEO_PID, 15],
    [AUDIO_PID, 7],
    [0, 4],
    [PMT_PID, 4],
    [0, 5],
    [PMT_PID, 5],
  ])
  for (let at = 0; at < 4 * PACKET_SIZE; at += PACKET_SIZE) {
    assert.deepEqual(
      [...bridge.subarray(at + 3, at + 7)].map((byte, index) => (index === 0 ? byte & 0xf0 : byte)),
      [0x20, 183, 0x80, 0xff],
    )
  }
})

test('if there are too many PIDs, those in the tables are bridged', () => {
  const tracker = new SpliceTracker()
  const junk = Array.from({ length: 400 }, (_, index) => packetOf({ pid: 0x200 + index, counter: 0 }))
  tracker.follow(chunkOf(...junk))
  tracker.follow(chunk)
  const bridge = listOf(tracker.bridge())
  assert.equal(bridge.length, 256 + 2)
  for (const pid of [0, PMT_PID, VIDEO_PID, AUDIO_PID]) assert.ok(bridge.some(([found]) => found === pid))
})

test('null packets are not bridged', () => {
  const tracker = new SpliceTracker()
  const nulls = packetOf({ pid: 0x1fff, counter: 0 })
  tracker.follow(chunkOf(joined(nulls, nulls, nulls)))
  assert.equal(tracker.bridge().length, 0)
})
