import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import { announceDiscontinuity } from '@millrace/media/mpegts'
import { StreamComparison } from './compare-stream.js'
import { EXCLUDED_WHEN_EXACT } from './packet-splitter.js'
import { ReferencePackets } from './reference-packets.js'

const SIZE = 188
const GOP_FRAMES = 5
const stream = Buffer.from(buildTs({ durationS: 4, video: { gopFrames: GOP_FRAMES } }).bytes)
const packets = Array.from({ length: stream.length / SIZE }, (_, index) =>
  stream.subarray(index * SIZE, (index + 1) * SIZE),
)
/** Where a PAT and a PMT are in front of a key frame. */
const tablesAt = packets.flatMap((packet, index) =>
  pidOf(packet) === 0 && beginsKeyFrame(packets[index + 2]) ? [index] : [],
)

describe('a stream that is compared with the reference viewer', () => {
  test('may have a gap where one is planned, with announcements and tables before it goes on', () => {
    const viewer = new TestViewer()
    viewer.receive(0, tableAt(2))
    viewer.comparison.allowGap()
    viewer.resume(tableAt(3))
    assert.deepEqual(viewer.faults(), [])
  })

  test('may have a second planned gap soon: the tables in front of it are no repeat', () => {
    const viewer = new TestViewer()
    viewer.receive(0, tableAt(2))
    viewer.comparison.allowGap()
    viewer.resume(tableAt(3), tableAt(5) + 20)
    assert.deepEqual(viewer.faults(), [])
    viewer.comparison.allowGap()
    viewer.resume(tableAt(6))
    assert.deepEqual(viewer.faults(), [])
  })

  test('may have two planned gaps before it is looked at', () => {
    const viewer = new TestViewer()
    viewer.receive(0, tableAt(2))
    viewer.comparison.allowGap()
    viewer.comparison.allowGap()
    viewer.resume(tableAt(3), tableAt(4))
    viewer.resume(tableAt(6))
    assert.deepEqual(viewer.faults(), [])
  })

  test('repeats packets if it goes on before its last one, with tables in front or without', () => {
    for (const hasBridge of [true, false]) {
      const viewer = new TestViewer()
      viewer.receive(0, tableAt(4))
      viewer.comparison.allowGap()
      if (hasBridge) viewer.resume(tableAt(3))
      else viewer.receive(tableAt(3))
      assert.match(viewer.faults().join(), /packets repeated/)
    }
  })

  test('must not have a gap that is not planned, nor a second one where one is', () => {
    const viewer = new TestViewer()
    viewer.receive(0, tableAt(2))
    viewer.receive(tableAt(3), tableAt(5))
    assert.match(viewer.faults().join(), /a gap of \d+ packets/)
    viewer.comparison.allowGap()
    viewer.resume(tableAt(6), tableAt(7))
    viewer.resume(tableAt(8))
    assert.match(viewer.faults().join(), /a gap of \d+ packets/)
  })
})

class TestViewer {
  readonly comparison: StreamComparison

  constructor() {
    const reference = new ReferencePackets(EXCLUDED_WHEN_EXACT)
    this.comparison = new StreamComparison(reference)
    reference.push(stream)
  }

  receive(from: number, to = packets.length): void {
    this.comparison.push(Buffer.concat(packets.slice(from, to)))
  }

  /** As behind an output that has lost packets: announcements, the tables in force, then the key frame. */
  resume(at: number, to = packets.length): void {
    const pids = [...new Set(packets.map(pidOf))]
    this.comparison.push(Buffer.concat(pids.map((pid) => announceDiscontinuity(pid, 7))))
    const before = tablesAt.filter((table) => table < at).at(-1) ?? 0
    this.receive(before, before + 2)
    this.receive(at, to)
  }

  /** One call reports one fault at most. */
  faults(): string[] {
    return Array.from({ length: 8 }, () => this.comparison.fault()).filter((fault) => fault !== undefined)
  }
}

function tableAt(number: number): number {
  const at = tablesAt[number]
  assert.ok(at !== undefined, 'the stream has that many tables')
  return at
}

function pidOf(packet: Buffer): number {
  return packet.readUInt16BE(1) & 0x1fff
}

/** It has a random_access_indicator: ISO/IEC 13818-1, 2.4.3.5. */
function beginsKeyFrame(packet: Buffer | undefined): boolean {
  return packet !== undefined && (packet[3]! & 0x20) !== 0 && (packet[5]! & 0x40) !== 0
}
