import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MarkList } from './mark-list.js'
import { HAS_PCR, LAST_OF_PID, MARK_SIZE, PSI, UNIT_START } from './marks.js'
import { PacketScanner } from './packet-scanner.js'
import { PACKET_SIZE } from './packet.js'
import { joined, packetOf } from './packets.test.kit.js'
import { ProgramTable } from './program-table.js'

/** A scanner that has seen one packet of each of these PIDs, and the bytes of the packets. */
function scanned(...pids: readonly number[]): { bytes: Uint8Array; scanner: PacketScanner } {
  const bytes = joined(...pids.map((pid) => packetOf({ pid, counter: 0 })))
  const scanner = new PacketScanner(new ProgramTable())
  for (let at = 0; at < bytes.length; at += PACKET_SIZE) scanner.scan(bytes, at)
  return { bytes, scanner }
}

function rowsOf(marks: Int32Array): number[][] {
  return Array.from({ length: marks.length / MARK_SIZE }, (_, index) => {
    const [offset = 0, ...others] = marks.subarray(index * MARK_SIZE, (index + 1) * MARK_SIZE)
    return [offset / PACKET_SIZE, ...others]
  })
}

test('last packets without a record get one, and those with one get the flag', () => {
  const { bytes, scanner } = scanned(0x20, 0x21, 0x20, 0x22)
  const list = new MarkList()
  list.add(0, 0x20, UNIT_START, 3)
  list.add(3 * PACKET_SIZE, 0x22, HAS_PCR, 9)
  assert.deepEqual(rowsOf(list.take(bytes, bytes.length, 0, scanner)), [
    [0, 0x20, UNIT_START, 3],
    [1, 0x21, LAST_OF_PID, 3],
    [2, 0x20, LAST_OF_PID, 3],
    [3, 0x22, HAS_PCR | LAST_OF_PID, 9],
  ])
  assert.equal(list.take(bytes, 0, 0, scanner).length, 0)
})

test('a cut returns the records before it, with LAST_OF_PID set there, and moves the rest', () => {
  const { bytes, scanner } = scanned(0x20, 0x21, 0x20, 0x22)
  const list = new MarkList()
  list.add(PACKET_SIZE, 0x21, UNIT_START, 4)
  list.add(2 * PACKET_SIZE, 0x20, PSI, 10)
  list.add(3 * PACKET_SIZE, 0x22, UNIT_START, 12)
  assert.equal(list.msAt(2 * PACKET_SIZE), 10)
  assert.deepEqual(rowsOf(list.take(bytes, 2 * PACKET_SIZE, 10, scanner)), [
    [0, 0x20, LAST_OF_PID, 0],
    [1, 0x21, UNIT_START | LAST_OF_PID, 4],
  ])
  scanner.shift(2 * PACKET_SIZE)
  const rest = bytes.subarray(2 * PACKET_SIZE)
  assert.deepEqual(rowsOf(list.take(rest, rest.length, 0, scanner)), [
    [0, 0x20, PSI | LAST_OF_PID, 0],
    [1, 0x22, UNIT_START | LAST_OF_PID, 2],
  ])
})

test('flags are added to the record of their packet, or to a new one, and the list grows as needed', () => {
  const pids = Array.from({ length: 500 }, () => 0x20)
  const { bytes, scanner } = scanned(...pids)
  const list = new MarkList()
  for (const index of pids.keys()) if (index !== 9) list.add(index * PACKET_SIZE, 0x20, PSI, index)
  list.flag(7 * PACKET_SIZE, 0x20, HAS_PCR)
  list.flag(9 * PACKET_SIZE, 0x20, UNIT_START)
  const rows = rowsOf(list.take(bytes, bytes.length, 0, scanner))
  assert.equal(rows.length, 500)
  assert.deepEqual(rows[7], [7, 0x20, PSI | HAS_PCR, 7])
  assert.deepEqual(rows[9], [9, 0x20, UNIT_START, 8])
  assert.deepEqual(rows[10], [10, 0x20, PSI, 10])
  assert.deepEqual(rows[499], [499, 0x20, PSI | LAST_OF_PID, 499])
})
