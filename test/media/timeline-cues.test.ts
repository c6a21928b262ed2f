// Splice information (SCTE 35) points at times of the stream: where the stream is shifted, so is what it says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs, PTS_WRAP } from '@millrace/engine/testing'
import {
  crc32Mpeg,
  hasPayload,
  isUnitStart,
  packetise,
  payloadOffset,
  readPid,
  SectionAssembler,
  writeCounter,
} from '@millrace/media/mpegts'
import { parseSpliceInfo } from '@millrace/media/scte35'
import { checkTs } from '../oracle/check-ts.js'
import { concat } from './bytes.js'
import { TimelineHarness } from './timeline-harness.js'

const PACKET = 188
const CUES = 0x110
const START_90K = 900_000
const DURATION_MS = 3000
/** A time_signal() with this pts_time and pts_adjustment, and descriptors of so many bytes. */
function signalAt(pts90k: number, adjustment90k: number, descriptorBytes: number): Uint8Array {
  const section = new Uint8Array(3 + 11 + 5 + 2 + descriptorBytes + 1 + 4)
  const time = (base: number, value: number): number[] => [
    base | Math.floor(value / 2 ** 32),
    ...[24, 16, 8, 0].map((shift) => ((value % 2 ** 32) >>> shift) & 0xff),
  ]
  section.set([0xfc, 0x30 | ((section.length - 3) >> 8), (section.length - 3) & 0xff, 0])
  section.set([...time(0x00, adjustment90k), 0, 0xff, 0xf0, 5, 0x06, ...time(0xfe, pts90k)], 4)
  section.set([descriptorBytes >> 8, descriptorBytes & 0xff], 19)
  if (descriptorBytes > 0) section.set([0x80, descriptorBytes - 2], 21)
  new DataView(section.buffer).setUint32(section.length - 4, crc32Mpeg(section, 0, section.length - 4))
  return section
}

/** The stream with a signal in place of each of its cues, which points half a second behind the picture that it comes with. */
function withSignals(adjustment90k: number, descriptorBytes: number): { bytes: Uint8Array; count: number } {
  const { bytes } = buildTs({ durationS: DURATION_MS / 1000, startPts90k: START_90K, data: [{ kind: 'scte35' }] })
  const parts: Uint8Array[] = []
  let counter = 0
  let count = 0
  for (let at = 0; at < bytes.length; at += PACKET) {
    const packet = bytes.slice(at, at + PACKET)
    if (readPid(packet, 0) !== CUES) {
      parts.push(packet)
      continue
    }
    const pts90k = (START_90K + 45_000 * ++count - adjustment90k + PTS_WRAP) % PTS_WRAP
    const packets = packetise(signalAt(pts90k, adjustment90k, descriptorBytes), CUES, 0)
    for (let own = 0; own < packets.length; own += PACKET) {
      writeCounter(packets, own, counter++)
      // Others stand between the packets of a section.
      parts.push(packets.subarray(own, own + PACKET), bytes.slice(0, PACKET))
    }
  }
  return { bytes: concat(parts), count }
}

/** What the cues of a stream say; whole ones with the right CRC alone. */
function timesOf(bytes: Uint8Array): number[] {
  const assembler = new SectionAssembler()
  const times: number[] = []
  for (let at = 0; at < bytes.length; at += PACKET) {
    if (readPid(bytes, at) !== CUES || !hasPayload(bytes, at)) continue
    assembler.push(bytes, payloadOffset(bytes, at), at + PACKET, isUnitStart(bytes, at), (section, length) => {
      times.push(parseSpliceInfo(section, length)?.pts90k ?? -1)
    })
  }
  return times
}

for (const { name, adjustment90k, descriptorBytes } of [
  { name: 'in one packet', adjustment90k: 0, descriptorBytes: 0 },
  { name: 'with an adjustment of its own', adjustment90k: 4_000_000_000, descriptorBytes: 20 },
  { name: 'over several packets', adjustment90k: 0, descriptorBytes: 250 },
  { name: 'whose CRC is in the next packet', adjustment90k: 0, descriptorBytes: 160 },
]) {
  test(`cues keep pointing at the same picture after a reconnect: ${name}`, () => {
    const { bytes, count } = withSignals(adjustment90k, descriptorBytes)
    const harness = new TimelineHarness().feed(bytes, { durationMs: DURATION_MS })
    harness.nextGeneration({ timeline: 'elapsed' }, 5000).feed(bytes, { durationMs: DURATION_MS }).end()
    const [start = 0] = harness.starts.slice(-1)
    const [first, second] = [harness.bytes().subarray(0, start), harness.bytes().subarray(start)]
    const shift90k = checkTs(second).units[0x100]!.lastPts90k - checkTs(bytes).units[0x100]!.lastPts90k
    assert.ok(shift90k > 5000 * 90)
    assert.ok(count >= 5)
    assert.deepEqual(timesOf(first), timesOf(bytes))
    assert.deepEqual(
      timesOf(second),
      timesOf(bytes).map((pts90k) => pts90k + shift90k),
    )
  })
}
