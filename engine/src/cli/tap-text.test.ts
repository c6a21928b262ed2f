import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hexLine, TapPackets, TapSummary } from './tap-text.js'

function packet(pid: number, counter: number, adaptation?: number): Uint8Array {
  const bytes = new Uint8Array(188).fill(0xff)
  bytes.set([0x47, pid >> 8, pid & 0xff, (adaptation === undefined ? 0x10 : 0x30) | counter])
  if (adaptation !== undefined) bytes.set([1, adaptation], 4)
  return bytes
}

describe('a tap in words', () => {
  test('counts packets, random access points and continuity errors of each PID', () => {
    const summary = new TapSummary()
    const counters = [0, 1, 1, 2, 5, 6]
    for (const counter of counters) summary.note(packet(0x100, counter))
    summary.note(packet(0x100, 9, 0x80))
    summary.note(packet(0x101, 0, 0x40))
    summary.note(packet(0x1fff, 3))
    summary.note(packet(0x1fff, 3))
    summary.note(new Uint8Array(188))
    assert.deepEqual(summary.render(1).split('\n'), [
      '11 packets in 1.0 s, 0.017 Mb/s, 1 without a sync byte',
      '  0x0100         7 packets  0.011 Mb/s  1 continuity errors',
      '  0x0101         1 packets  0.002 Mb/s  1 random access points',
      '  0x1fff         2 packets  0.003 Mb/s  null packets',
      '',
    ])
  })

  test('reads whole packets, however they are cut', () => {
    const stream = Buffer.concat([packet(1, 0), packet(2, 0), packet(3, 0)])
    for (const size of [1, 100, 188, 300, 1000]) {
      const packets = new TapPackets()
      const lines: string[] = []
      for (let at = 0; at < stream.length; at += size) {
        packets.push(stream.subarray(at, at + size), (each) => lines.push(hexLine(each)))
      }
      assert.equal(lines.join('').replaceAll('\n', ''), stream.toString('hex'))
      assert.deepEqual(
        lines.map(({ length }) => length),
        [377, 377, 377],
      )
    }
  })
})
