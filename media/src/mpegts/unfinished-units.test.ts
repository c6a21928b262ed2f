import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PACKET_SIZE } from './packet.js'
import { AUDIO_PID, chunkOf, packetOf, pesOf, tablesOf, VIDEO_PID } from './packets.test.kit.js'
import { ProgramTable } from './program-table.js'
import { withoutUnfinished } from './unfinished-units.js'

const table = new ProgramTable()
/** Bytes after PES_packet_length in units of one packet, and of two. */
const ONE = 184 - 6
const TWO = 2 * 184 - 6

function audioStart(counter: number, length: number): Uint8Array {
  return packetOf({ pid: AUDIO_PID, counter, unitStart: true, payload: pesOf(0xc0, 9000, length) })
}

function left(isWholeFile: boolean, ...packets: readonly Uint8Array[]): number {
  const whole = withoutUnfinished(chunkOf(...packets), table, isWholeFile)
  return (whole?.bytes.length ?? 0) / PACKET_SIZE
}

test('a complete unit stays, an incomplete one is dropped with all its packets', () => {
  const audio = packetOf({ pid: AUDIO_PID, counter: 1 })
  const other = packetOf({ pid: 0x50, counter: 0 })
  assert.equal(left(false, audioStart(0, TWO), other, audio), 3)
  assert.equal(left(false, audioStart(0, TWO + 1), other, audio), 1)
  assert.equal(left(false, audioStart(0, ONE), audioStart(1, TWO), other), 2)
})

test('a unit of unspecified length ends with its file, but not with its connection', () => {
  const packets = [
    tablesOf(0),
    packetOf({ pid: VIDEO_PID, counter: 0, unitStart: true, payload: pesOf(0xe0, 9000) }),
    packetOf({ pid: VIDEO_PID, counter: 1 }),
  ]
  assert.equal(left(true, ...packets), 4)
  assert.equal(left(false, ...packets), 2)
})

test('a unit of unspecified length ends with a packet that is stuffed', () => {
  const start = (field?: readonly number[]): Uint8Array =>
    packetOf({ pid: VIDEO_PID, counter: 0, unitStart: true, payload: pesOf(0xe0, 9000), ...(field && { field }) })
  const next = (counter: number, field?: readonly number[]): Uint8Array =>
    packetOf({ pid: VIDEO_PID, counter, ...(field && { field }) })
  const pcrAlone = packetOf({ pid: VIDEO_PID, counter: 1, payload: false, field: [0x10, 0, 0, 0, 0, 0x7e, 0] })
  // An adaptation field without flags; one of a single byte; a PCR, private data and an extension, and a byte more.
  for (const field of [[0], [], [0x13, 0, 0, 0, 0, 0x7e, 0, 1, 0xaa, 1, 0x1f, 0xff]] as const)
    assert.equal(left(false, tablesOf(0), start(), next(1, field), pcrAlone), 5, String(field))
  assert.equal(left(false, tablesOf(0), start([0x40, 0xff])), 3)
  // What says something is no stuffing; nor is that of another packet than the last.
  for (const field of [
    [0x10, 0, 0, 0, 0, 0x7e, 0],
    [0x02, 2, 1, 1],
    [0x04, 3],
    [0x01, 1, 0x1f],
  ] as const)
    assert.equal(left(false, tablesOf(0), start(), next(1, field)), 2, String(field))
  assert.equal(left(false, tablesOf(0), start([0x40, 0xff]), next(1)), 2)
})

test('sections and units that began before the chunk stay', () => {
  assert.equal(
    left(false, tablesOf(0), packetOf({ pid: AUDIO_PID, counter: 1 }), packetOf({ pid: 0x50, counter: 0 })),
    4,
  )
  const cue = packetOf({ pid: 0x86, counter: 0, unitStart: true, payload: [0, 0xfc, 0x30] })
  assert.equal(left(false, tablesOf(0), cue), 3)
})

test('a chunk with only unfinished units is dropped', () => {
  const packets = [0, 1, 2].map((counter) =>
    packetOf({ pid: AUDIO_PID, counter, unitStart: counter === 0, payload: pesOf(0xc0, 9, 9999) }),
  )
  assert.equal(left(false, ...packets), 0)
})
