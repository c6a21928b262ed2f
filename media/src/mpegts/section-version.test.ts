import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PACKET_SIZE } from './packet.js'
import { packetise, renderPmt } from './render-psi.js'
import { SectionAssembler } from './section-assembler.js'
import { SectionVersion } from './section-version.js'

function pmtOf(version: number, size: number): Uint8Array {
  const descriptors = new Uint8Array(size).fill(0x47)
  return renderPmt({ program: 1, version, current: true, pcrPid: 0x100, descriptors, streams: [] })
}

/** The sections in the packets, CRC checked. */
function sectionsOf(packets: Uint8Array): { bytes: Uint8Array[]; failed: number } {
  const assembler = new SectionAssembler()
  const bytes: Uint8Array[] = []
  let failed = 0
  for (let at = 0; at < packets.length; at += PACKET_SIZE) {
    const isStart = (packets[at + 1]! & 0x40) !== 0
    failed += assembler.push(packets, at + 4, at + PACKET_SIZE, isStart, (section, length) => {
      bytes.push(section.slice(0, length))
    })
  }
  return { bytes, failed }
}

function applyAll(version: SectionVersion, packets: Uint8Array): void {
  for (let at = 0; at < packets.length; at += PACKET_SIZE) version.apply(packets, at)
}

test('sections of any length get the version and the matching CRC', () => {
  for (const shift of [1, 7, 31]) {
    const version = new SectionVersion(shift)
    for (let size = 0; size < 1000; size += 13) {
      const packets = packetise(pmtOf(30, size), 0x1000, 0)
      applyAll(version, packets)
      const { bytes, failed } = sectionsOf(packets)
      assert.equal(failed, 0)
      assert.deepEqual(bytes, [pmtOf((30 + shift) % 32, size)])
    }
  }
})

test('several sections in one packet, and one that continues in the next, all get the version', () => {
  const sections = [pmtOf(1, 30), pmtOf(2, 60), pmtOf(3, 120)]
  const payload = new Uint8Array(2 * 184).fill(0xff)
  payload[0] = 0
  let at = 1
  for (const section of sections) {
    payload.set(section.subarray(0, 184 - at), at)
    at += section.length
  }
  const rest = sections[2]!.slice(sections[2]!.length - (at - 184))
  payload.set([rest.length, ...rest], 184)
  const packets = new Uint8Array(2 * PACKET_SIZE)
  for (const [index, counter] of [0x10, 0x11].entries()) {
    packets.set([0x47, 0x50, 0x00, counter], index * PACKET_SIZE)
    packets.set(payload.subarray(index * 184, (index + 1) * 184), index * PACKET_SIZE + 4)
  }
  assert.equal(sectionsOf(packets).bytes.length, 3)
  applyAll(new SectionVersion(5), packets)
  assert.deepEqual(sectionsOf(packets), { bytes: [pmtOf(6, 30), pmtOf(7, 60), pmtOf(8, 120)], failed: 0 })
})

test('private sections on the PID stay unchanged', () => {
  for (const head of [
    [0xc0, 0xb0],
    [0x02, 0x30],
  ]) {
    const section = pmtOf(1, 20)
    section.set(head)
    const packets = packetise(section, 0x1000, 0)
    const before = packets.slice()
    applyAll(new SectionVersion(5), packets)
    assert.deepEqual(packets, before)
  }
})

test('impossible lengths and pointers do no harm', () => {
  for (let seed = 0; seed < 2000; seed++) {
    const packets = packetise(pmtOf(1, 300), 0x1000, 0).map((byte, at) =>
      at % PACKET_SIZE > 3 && (at * 7919 + seed * 104_729) % 97 === 0 ? (seed * at) & 0xff : byte,
    )
    const version = new SectionVersion(3)
    assert.doesNotThrow(() => applyAll(version, packets))
  }
})
