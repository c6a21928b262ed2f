import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CRC_ERROR, PSI_CHANGE } from './marks.js'
import { PACKET_SIZE } from './packet.js'
import { ProgramTable } from './program-table.js'
import { packetise, renderPat, renderPmt } from './render-psi.js'

const VIDEO = { pid: 0x100, streamType: 0x1b, descriptors: new Uint8Array(0) }
const AUDIO = { pid: 0x101, streamType: 0x0f, descriptors: new Uint8Array(0) }

interface PatPlan {
  readonly tsId?: number
  readonly version?: number
  readonly current?: boolean
}

function patOf(programs: readonly (readonly [number, number])[], plan: PatPlan = {}): Uint8Array {
  const { tsId = 1, version = 0, current = true } = plan
  const list = programs.map(([program, pmtPid]) => ({ program, pmtPid }))
  const position = { sectionNumber: 0, lastSectionNumber: 0 }
  return renderPat({ transportStreamId: tsId, version, current, ...position, programs: list, networkPid: undefined })
}

function pmtOf(program: number, streams = [VIDEO, AUDIO], version = 0): Uint8Array {
  return renderPmt({ program, version, current: true, pcrPid: 0x100, descriptors: new Uint8Array(0), streams })
}

/** Feeds the packets of a section; returns the flags of the last one. */
function feed(table: ProgramTable, pid: number, section: Uint8Array): number {
  const packets = packetise(section, pid, 0)
  let flags = 0
  for (let offset = 0; offset < packets.length; offset += PACKET_SIZE) flags = table.packet(packets, offset)
  return flags
}

test('a PAT and its PMT define a program; repeating them changes nothing', () => {
  const table = new ProgramTable()
  assert.equal(feed(table, 0x1000, pmtOf(1)), 0)
  assert.equal(feed(table, 0, patOf([[1, 0x1000]])), PSI_CHANGE)
  assert.equal(table.select(), undefined)
  assert.equal(feed(table, 0x1000, pmtOf(1)), PSI_CHANGE)
  assert.deepEqual(
    table.select()?.tracks.map(({ pid, codec }) => [pid, codec]),
    [
      [0x100, 'h264'],
      [0x101, 'aac'],
    ],
  )
  assert.equal(table.select()?.leadPid, 0x100)
  const { changes } = table
  assert.equal(feed(table, 0, patOf([[1, 0x1000]])) | feed(table, 0x1000, pmtOf(1)), 0)
  assert.equal(table.changes, changes)
})

test('a damaged section is flagged and does not change the tables in force', () => {
  const table = new ProgramTable()
  feed(table, 0, patOf([[1, 0x1000]]))
  const section = pmtOf(1)
  section[10] = section[10]! ^ 1
  assert.equal(feed(table, 0x1000, section), CRC_ERROR)
  assert.equal(table.programs.size, 0)
})

test('a table that is not in force yet changes nothing', () => {
  const table = new ProgramTable()
  feed(table, 0, patOf([[1, 0x1000]]))
  assert.equal(feed(table, 0, patOf([[2, 0x1001]], { version: 1, current: false })), 0)
  assert.equal(feed(table, 0x1000, pmtOf(1)), PSI_CHANGE)
})

test('a PAT replaces that of another transport stream, even if both have the same version', () => {
  const table = new ProgramTable()
  for (let round = 0; round < 3; round++) {
    assert.equal(feed(table, 0, patOf([[1, 0x1000]], { tsId: 1 })), PSI_CHANGE)
    feed(table, 0x1000, pmtOf(1))
    assert.deepEqual([...table.programs.keys()], [1])
    assert.equal(feed(table, 0, patOf([[7, 0x1007]], { tsId: 2 })), PSI_CHANGE)
    feed(table, 0x1007, pmtOf(7))
    assert.deepEqual([...table.programs.keys()], [7])
    assert.equal(table.isSectionPid[0x1000], 0)
    assert.deepEqual(
      [...table.sections.values()].map(({ pid }) => pid),
      [0, 0x1007],
    )
  }
})

test('a PAT that still names a PMT leaves it in force', () => {
  const table = new ProgramTable()
  feed(
    table,
    0,
    patOf([
      [1, 0x1000],
      [2, 0x1001],
    ]),
  )
  feed(table, 0x1000, pmtOf(1))
  feed(table, 0x1001, pmtOf(2))
  feed(
    table,
    0,
    patOf(
      [
        [1, 0x1000],
        [3, 0x1003],
      ],
      { version: 1 },
    ),
  )
  assert.deepEqual([...table.programs.keys()], [1])
  assert.deepEqual(
    [...table.sections.values()].map(({ pid }) => pid).sort((a, b) => a - b),
    [0, 0x1000],
  )
  assert.equal(feed(table, 0x1000, pmtOf(1)), 0)
  assert.equal(feed(table, 0x1003, pmtOf(3)), PSI_CHANGE)
})

test('a program that moves to another PMT PID is read again', () => {
  const table = new ProgramTable()
  feed(table, 0, patOf([[1, 0x1000]]))
  feed(table, 0x1000, pmtOf(1))
  feed(table, 0, patOf([[1, 0x1001]], { version: 1 }))
  assert.deepEqual([...table.programs.keys()], [])
  assert.equal(table.isPatOrPmt(0x1000), false)
  assert.equal(feed(table, 0x1001, pmtOf(1)), PSI_CHANGE)
  feed(table, 0, patOf([[1, 0x1000]], { version: 2 }))
  assert.equal(feed(table, 0x1000, pmtOf(1)), PSI_CHANGE)
})

test('two programs may share a PMT PID', () => {
  const table = new ProgramTable()
  feed(
    table,
    0,
    patOf([
      [1, 0x1000],
      [2, 0x1000],
    ]),
  )
  feed(table, 0x1000, pmtOf(1))
  feed(table, 0x1000, pmtOf(2, [AUDIO]))
  assert.deepEqual([...table.programs.keys()], [1, 2])
  assert.equal(table.select(2)?.leadPid, 0x101)
  feed(table, 0, patOf([[1, 0x1000]], { version: 1 }))
  assert.deepEqual([...table.programs.keys()], [1])
  assert.equal(table.sections.size, 2)
})

test('any number and size of tables leaves a bounded number of sections, and the PAT in force', () => {
  const table = new ProgramTable()
  const cat = pmtOf(1)
  cat[0] = 1
  for (let number = 0; number < 2000; number++) {
    feed(
      table,
      1,
      withCrc(cat, (bytes) => bytes.set([number >>> 8, number & 0xff, 0xc1, number & 0xff], 3)),
    )
  }
  const programs = Array.from({ length: 200 }, (_, index) => [index + 1, 0x200 + index] as const)
  for (let round = 0; round < 3; round++) {
    feed(table, 0, patOf(programs, { version: round }))
    for (const [program] of programs) {
      for (const [, pid] of programs) feed(table, pid, pmtOf(program))
    }
  }
  assert.ok(table.programs.size <= 64)
  assert.ok(table.sections.size <= 80)
  feed(table, 0, patOf([[1, 0x1000]], { tsId: 9 }))
  feed(table, 0x1000, pmtOf(1))
  assert.deepEqual([...table.programs.keys()], [1])
})

test('a CAT replaces the one of another version', () => {
  const table = new ProgramTable()
  const cat = pmtOf(1)
  cat[0] = 1
  for (const version of [0, 1, 2]) {
    feed(
      table,
      1,
      withCrc(cat, (bytes) => bytes.set([0xff, 0xff, 0xc1 | (version << 1)], 3)),
    )
    assert.equal(table.sections.size, 1)
  }
})

function withCrc(section: Uint8Array, change: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = section.slice()
  change(bytes)
  let register = 0xffffffff
  for (const byte of bytes.subarray(0, -4)) {
    for (let bit = 7; bit >= 0; bit--) {
      const out = (register >>> 31) ^ ((byte >> bit) & 1)
      register = (register << 1) >>> 0
      if (out === 1) register = (register ^ 0x04c11db7) >>> 0
    }
  }
  new DataView(bytes.buffer).setUint32(bytes.length - 4, register)
  return bytes
}
