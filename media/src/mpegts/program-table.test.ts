import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32Mpeg } from './crc32.js'
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
  assert.equal(table.select(2)?.tracks[0]?.pid, 0x101)
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

test('tables that change all the time take effect now and then, and the last one once it is repeated', () => {
  const table = new ProgramTable()
  feed(table, 0, patOf([[1, 0x1000]]))
  for (let version = 0; version < 20_000; version++) feed(table, 0x1000, pmtOf(1, [VIDEO], version % 32))
  assert.ok(table.changes < 20_000 / 16, `${table.changes} changes`)
  const last = pmtOf(1, [{ ...VIDEO, pid: 0x777 }], 7)
  for (let repeat = 0; repeat < 40; repeat++) feed(table, 0x1000, last)
  assert.deepEqual(table.programs.get(1)?.tracks[0]?.pid, 0x777)
})

test('PMTs of programs that are on another PID or on none do not count as changes', () => {
  const table = new ProgramTable()
  feed(table, 0, patOf([[1, 0x1000]]))
  for (let number = 0; number < 5000; number++) feed(table, 0x1000, pmtOf(2 + (number % 60_000)))
  assert.equal(feed(table, 0x1000, pmtOf(1)), PSI_CHANGE)
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

for (const pid of [0x01, 0x10, 0x11, 0x12, 0x14, 0x1f]) {
  test(`the PAT may put a PMT on PID 0x${pid.toString(16)}`, () => {
    const table = new ProgramTable()
    feed(table, 0, patOf([[1, pid]]))
    assert.equal(feed(table, pid, pmtOf(1)), PSI_CHANGE)
    assert.equal(table.select()?.pmtPid, pid)
    assert.equal(table.isPatOrPmt(pid), true)
  })
}

test("DVB's PIDs carry its tables only where PAT and PMTs give them to nobody", () => {
  const table = new ProgramTable()
  const eit = Uint8Array.from([0x4e, 0xf0, 12, 0, 1, 0xc1, 0, 0, 1, 2, 3, 4, 9, 9, 9])
  assert.equal(feed(table, 0x12, eit), CRC_ERROR)
  feed(table, 0, patOf([[1, 0x1000]]))
  feed(table, 0x1000, pmtOf(1, [{ ...VIDEO, pid: 0x12 }]))
  assert.deepEqual([table.isSectionPid[0x12], table.isSectionPid[0x11]], [0, 1])
  assert.equal(feed(table, 0x12, eit), 0)
  feed(table, 0x1000, pmtOf(1, [VIDEO], 1))
  assert.equal(table.isSectionPid[0x12], 1)
})

test("before the PMT, a PES packet on one of DVB's PIDs is no damaged table", () => {
  const table = new ProgramTable()
  const packet = packetise(Uint8Array.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1]), 0x11, 0)
  packet.copyWithin(4, 5) // a PES packet has no pointer_field
  for (let time = 0; time < 3; time++) assert.equal(table.packet(packet, 0), 0)
})

test('a PID of a program without PMT yields to the track of another program', () => {
  const table = new ProgramTable()
  const pat = patOf([
    [1, 0x100],
    [2, 0x1000],
  ])
  feed(table, 0, pat)
  assert.equal(table.isSectionPid[0x100], 1)
  feed(table, 0x1000, pmtOf(2))
  assert.equal(table.isSectionPid[0x100], 0)
})

test('tables whose CRC is always wrong take effect when they repeat, and are flagged each time', () => {
  const table = new ProgramTable()
  const [pat, pmt] = [patOf([[1, 0x1000]]), pmtOf(1)]
  for (const section of [pat, pmt]) section.fill(0, section.length - 4)
  for (let time = 0; time < 3; time++) assert.ok((feed(table, 0, pat) & CRC_ERROR) !== 0)
  assert.equal(table.named.size, 1)
  assert.equal(table.isDamaged(0x02), false)
  for (let time = 0; time < 3; time++) assert.ok((feed(table, 0x1000, pmt) & CRC_ERROR) !== 0)
  assert.equal(table.select()?.tracks.length, 2)
  assert.equal(table.believed, 2)
  for (const { bytes } of table.sections.values()) assert.equal(crc32Mpeg(bytes, 0, bytes.length), 0)
})

test('damage that repeats among good tables is never believed', () => {
  const table = new ProgramTable()
  const bad = patOf([[7, 0x700]])
  bad[3] = 0x55
  for (let time = 0; time < 20; time++) {
    feed(table, 0, bad)
    feed(table, 0, bad)
    feed(table, 0, patOf([[1, 0x1000]]))
  }
  assert.deepEqual([...table.named.keys()], [1])
  assert.equal(table.believed, 0)
})

test('tables that are never current, or have the number of no program, take effect when they repeat', () => {
  const table = new ProgramTable()
  for (let time = 0; time < 3; time++) feed(table, 0, patOf([[1, 0x1000]], { current: false }))
  assert.deepEqual([...table.named.keys()], [1])
  for (let time = 0; time < 3; time++) feed(table, 0x1000, pmtOf(77))
  assert.equal(table.select(1)?.tracks.length, 2)
  assert.equal(table.believed, 2)
  for (const { bytes } of table.sections.values()) assert.equal(crc32Mpeg(bytes, 0, bytes.length), 0)
  const { changes } = table
  feed(table, 0, patOf([[1, 0x1000]], { current: false }))
  feed(table, 0x1000, pmtOf(77))
  assert.equal(table.changes, changes)
  for (let time = 0; time < 3; time++) feed(table, 0x1000, pmtOf(77, [VIDEO], 1))
  assert.equal(table.select(1)?.tracks.length, 1)
  feed(table, 0x1000, pmtOf(1))
  assert.equal(table.select(1)?.tracks.length, 2)
})

test('tables that announce the next version, and PMTs of others, change nothing beside those in force', () => {
  const table = new ProgramTable()
  feed(table, 0, patOf([[1, 0x1000]]))
  feed(table, 0x1000, pmtOf(1))
  for (let time = 0; time < 9; time++) {
    feed(table, 0, patOf([[2, 0x1002]], { version: 1, current: false }))
    feed(table, 0x1000, pmtOf(77, [AUDIO]))
  }
  assert.deepEqual([...table.named.keys()], [1])
  assert.equal(table.select(1)?.tracks.length, 2)
  assert.equal(table.believed, 0)
})

test("of several programs on one PID, a PMT of another number is nobody's", () => {
  const table = new ProgramTable()
  feed(
    table,
    0,
    patOf([
      [1, 0x1000],
      [2, 0x1000],
    ]),
  )
  for (let time = 0; time < 9; time++) feed(table, 0x1000, pmtOf(77))
  assert.equal(table.programs.size, 0)
})

test('sections that are refused do not count as changes', () => {
  const isEighth = (bytes: Uint8Array): void => bytes.set([8, 8], 6)
  const isSecond = (bytes: Uint8Array): void => bytes.set([1, 1], 6)
  const table = new ProgramTable()
  feed(table, 0, patOf([[1, 0x1000]]))
  for (let time = 0; time < 1000; time++) {
    feed(table, 0, withCrc(patOf([[2, 0x1002]]), isEighth))
    feed(table, 0x1000, withCrc(pmtOf(1), isSecond))
  }
  assert.equal(feed(table, 0x1000, pmtOf(1)), PSI_CHANGE)
})

test('a PAT of two sections that are never current takes effect when both repeat', () => {
  const table = new ProgramTable()
  const first = withCrc(patOf([[1, 0x1000]], { current: false }), (bytes) => bytes.set([0, 1], 6))
  const second = withCrc(patOf([[2, 0x1002]], { current: false }), (bytes) => bytes.set([1, 1], 6))
  for (let time = 0; time < 3; time++) {
    feed(table, 0, first)
    feed(table, 0, second)
  }
  assert.deepEqual([...table.named.keys()], [1, 2])
})
