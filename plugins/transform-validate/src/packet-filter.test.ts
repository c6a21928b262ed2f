import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildTs, dropPackets, setTei, withoutPids } from '@millrace/engine/testing'
import type { TsPlan } from '@millrace/engine/testing'
import {
  Framer,
  hasPcr,
  hasPayload,
  hasTransportError,
  MARK_FLAGS,
  MARK_MS,
  MARK_OFFSET,
  MARK_SIZE,
  CONTINUITY_ERROR,
  NULL_PID,
  ProgramTable,
  RANDOM_ACCESS,
  readPid,
  Remarker,
} from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { PacketFilter } from './packet-filter.js'
import type { DropRules } from './packet-filter.js'
import type { Selection } from './pid-plan.js'

const KEEP: DropRules = { transportErrors: false, nullPackets: false }
const NONE: ReadonlySet<number> = new Set()
const all: Selection = { program: undefined, include: undefined, exclude: NONE }

const two: TsPlan = {
  durationS: 4,
  programs: [
    { data: [{ kind: 'scte35' }] },
    { pmtPackets: 2, pcr: { pid: 0x1f0, intervalMs: 30 }, video: { gopFrames: 15 }, audio: [{}, { language: 'deu' }] },
  ],
  psi: { cat: true, sdt: true },
  nullEvery: 20,
}
const multiplex = buildTs(two)
/** PIDs of the PMTs of its programs. */
const PMT = [0x1000, 0x1001]
const [VIDEO_1, AUDIO_1, VIDEO_2, AUDIO_2, SECOND_AUDIO_2, CLOCK_2] = [0x100, 0x101, 0x120, 0x121, 0x122, 0x1f0]

function chunksOf(bytes: Uint8Array, generation = 0): TsChunk[] {
  const framer = new Framer({ generation })
  const chunks: TsChunk[] = []
  const step = 50 * 188 + 100
  for (let at = 0; at < bytes.length; at += step) {
    chunks.push(...framer.push(bytes.subarray(at, at + step), at / 1000))
    if (at % 3 === 0) chunks.push(...framer.flush(at / 1000))
  }
  return [...chunks, ...framer.finish(bytes.length / 1000)]
}

function filtered(bytes: Uint8Array, selection?: Selection, rules = KEEP): TsChunk[] {
  const filter = new PacketFilter(rules, selection)
  return chunksOf(bytes).flatMap((chunk) => filter.push(chunk))
}

function bytesOf(chunks: readonly TsChunk[]): Uint8Array {
  return Buffer.concat(chunks.map(({ bytes }) => bytes))
}

function offsetsOf(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length / 188 }, (_, index) => index * 188)
}

function pidsOf(bytes: Uint8Array): number[] {
  return [...new Set(offsetsOf(bytes).map((offset) => readPid(bytes, offset)))].sort((a, b) => a - b)
}

function packetsOf(bytes: Uint8Array, pid: number): Buffer {
  const offsets = offsetsOf(bytes).filter((offset) => readPid(bytes, offset) === pid)
  return Buffer.concat(offsets.map((offset) => bytes.subarray(offset, offset + 188)))
}

function tableOf(chunks: readonly TsChunk[]): ProgramTable {
  const table = new ProgramTable()
  for (const chunk of chunks) table.follow(chunk)
  return table
}

function errorsIn(chunks: readonly TsChunk[]): number {
  let errors = 0
  for (const { marks } of chunks) {
    for (let at = 0; at < marks.length; at += MARK_SIZE)
      if ((marks[at + MARK_FLAGS]! & CONTINUITY_ERROR) !== 0) errors++
  }
  return errors
}

/** Asserts that no mark and no rescan reports a continuity error: the counters of every PID that is left continue. */
function assertConsistent(chunks: readonly TsChunk[]): void {
  assert.equal(errorsIn(chunks), 0)
  const marks = new Remarker().remark(bytesOf(chunks))
  for (let at = 0; at < marks.length; at += MARK_SIZE) assert.equal(marks[at + MARK_FLAGS]! & CONTINUITY_ERROR, 0)
}

describe('a filter without rules', () => {
  test('passes the same chunk objects', () => {
    const filter = new PacketFilter(KEEP)
    for (const chunk of chunksOf(multiplex.bytes)) assert.equal(filter.push(chunk)[0], chunk)
  })
})

describe('a filter with drop rules', () => {
  test('drops null packets and leaves everything else unchanged', () => {
    const left = filtered(multiplex.bytes, undefined, { ...KEEP, nullPackets: true })
    const others = offsetsOf(multiplex.bytes).filter((offset) => readPid(multiplex.bytes, offset) !== NULL_PID)
    const expected = Buffer.concat(others.map((offset) => multiplex.bytes.subarray(offset, offset + 188)))
    assert.equal(Buffer.compare(bytesOf(left), expected), 0)
    assertConsistent(left)
    assert.deepEqual(
      left.map(({ randomAccess }) => randomAccess),
      chunksOf(multiplex.bytes).map(({ randomAccess }) => randomAccess),
    )
  })

  test('drops packets with a transport error, and marks the gap that they leave', () => {
    const { bytes, count } = setTei(multiplex.bytes, { pid: VIDEO_1, every: 50 })
    assert.ok(count > 5)
    const left = filtered(bytes, undefined, { ...KEEP, transportErrors: true })
    const whole = bytesOf(left)
    assert.equal(whole.length, bytes.length - count * 188)
    assert.ok(!offsetsOf(whole).some((offset) => hasTransportError(whole, offset)))
    assert.equal(errorsIn(left), count)
  })

  test('does not copy a chunk if nothing in it is dropped', () => {
    const filter = new PacketFilter({ ...KEEP, transportErrors: true })
    for (const chunk of chunksOf(multiplex.bytes)) {
      const [left] = filter.push(chunk)
      assert.equal(left?.bytes, chunk.bytes)
      assert.deepEqual(left?.marks, chunk.marks)
    }
  })

  test('removes a random access point whose packet was dropped', () => {
    const key = multiplex.keyframes[2]!
    const bytes = multiplex.bytes.slice()
    bytes[key + 1] = bytes[key + 1]! | 0x80
    const points = (chunks: readonly TsChunk[]): number => chunks.filter(({ randomAccess }) => randomAccess).length
    const left = filtered(bytes, undefined, { ...KEEP, transportErrors: true })
    assert.equal(points(left), points(chunksOf(multiplex.bytes)) - 1)
  })

  test('obeys the lead of the input, unless it drops it', () => {
    const leads = (chunks: readonly TsChunk[]): unknown[] => [...new Set(chunks.flatMap(({ lead }) => lead?.pid ?? []))]
    const everything = { program: undefined, include: undefined, exclude: new Set<number>() }
    assert.deepEqual(leads(filtered(multiplex.bytes, everything)), [VIDEO_1])
    assert.deepEqual(leads(filtered(multiplex.bytes, { ...everything, program: 2 })), [VIDEO_2])
    assert.deepEqual(leads(filtered(multiplex.bytes, { ...everything, exclude: new Set([VIDEO_1]) })), [VIDEO_2])
    assert.deepEqual(leads(filtered(multiplex.bytes, { ...everything, include: new Set([AUDIO_1]) })), [AUDIO_1])
  })

  test('says that what is selected is silent, if the input sends something else', () => {
    const bytes = buildTs({ durationS: 6, programs: [{}, {}] }).bytes
    const silent = withoutPids(bytes, VIDEO_2, AUDIO_2)
    for (const [program, expected] of [
      [1, ''],
      [2, 'announced PID 0x120 silent'],
    ] as const) {
      const filter = new PacketFilter(KEEP, { program, include: undefined, exclude: new Set() })
      // The clock of the selected program is gone: time of arrival counts.
      for (const chunk of chunksOf(silent)) filter.push({ ...chunk, receivedAtMs: chunk.receivedAtMs * 20 })
      assert.equal(filter.obstacle, expected)
    }
  })

  test('applies changed rules at any time', () => {
    const { bytes } = setTei(multiplex.bytes, { pid: VIDEO_1, every: 50 })
    const filter = new PacketFilter(KEEP)
    const chunks = chunksOf(bytes)
    const left = chunks.flatMap((chunk, index) => {
      filter.rules = { transportErrors: false, nullPackets: Math.floor(index / 4) % 2 === 1 }
      return filter.push(chunk)
    })
    assert.equal(errorsIn(left), errorsIn(chunks))
    assert.ok(bytesOf(left).length < bytes.length)
  })
})

describe('a filter of a program', () => {
  const cases: readonly { name: string; plan: TsPlan; program: number; pids: number[] }[] = [
    { name: 'the first', plan: two, program: 1, pids: [0, 1, VIDEO_1, AUDIO_1, 0x110, PMT[0]!, NULL_PID] },
    {
      name: 'the second, PMT over two packets, PCR on a PID of its own',
      plan: two,
      program: 2,
      pids: [0, 1, VIDEO_2, AUDIO_2, SECOND_AUDIO_2, CLOCK_2, PMT[1]!, NULL_PID],
    },
    {
      name: 'whose PMT shares its PID with another',
      plan: { durationS: 3, programs: [{ pmtPid: 0x1000 }, { number: 9, pmtPid: 0x1000 }] },
      program: 9,
      pids: [0, VIDEO_2, AUDIO_2, 0x1000],
    },
  ]
  for (const { name, plan, program, pids } of cases) {
    test(`passes what the program needs and nothing else: ${name}`, () => {
      const { bytes } = buildTs(plan)
      const left = filtered(bytes, { ...all, program })
      const whole = bytesOf(left)
      assert.deepEqual(pidsOf(whole), pids)
      assertConsistent(left)
      const table = tableOf(left)
      assert.deepEqual([...table.programs.keys()], [program])
      for (const { pid } of table.programs.get(program)?.tracks ?? []) {
        const before = packetsOf(bytes, pid)
        const after = packetsOf(whole, pid)
        // Packets before the PMT do not belong to a program yet.
        assert.equal(Buffer.compare(after, before.subarray(before.length - after.length)), 0)
        assert.ok(before.length - after.length < 40 * 188)
      }
    })
  }

  test('cuts at its own random access points', () => {
    const left = filtered(multiplex.bytes, { ...all, program: 2 })
    const { length } = left.filter(({ randomAccess }) => randomAccess)
    assert.equal(length, Math.ceil((4 * 25) / 15))
    for (const { bytes, marks, randomAccess } of left) {
      const units: number[] = []
      for (let at = 0; at < marks.length; at += MARK_SIZE) {
        if ((marks[at + MARK_FLAGS]! & RANDOM_ACCESS) !== 0) units.push(marks[at + MARK_OFFSET]!)
      }
      assert.equal(units.length, randomAccess ? 1 : 0)
      const before = offsetsOf(bytes.subarray(0, units[0] ?? 0)).map((offset) => readPid(bytes, offset))
      assert.deepEqual(
        before.filter((pid) => pid !== 0 && pid !== PMT[1]),
        [],
      )
    }
  })

  test('knows the parameter sets that were sent before a loss', () => {
    const { bytes } = buildTs({ durationS: 4, programs: [{ video: { packing: { setsOnce: true } } }, {}] })
    const heads = (chunks: readonly TsChunk[]): unknown[] =>
      chunks.filter(({ randomAccess }) => randomAccess).map(({ head }) => head?.elementary)
    const chunks = chunksOf(bytes)
    const filter = new PacketFilter(KEEP, { ...all, program: 1 })
    const left = chunks.flatMap((chunk, index) =>
      filter.push(index === 20 ? { ...chunk, discontinuity: 'lost' as const } : chunk),
    )
    assert.deepEqual(heads(left), heads(chunks))
    assert.ok(
      heads(left)
        .slice(1)
        .every((head) => head !== undefined),
    )
  })

  test('keeps the arrival times of packets', () => {
    const filter = new PacketFilter(KEEP, { ...all, program: 1 })
    for (const chunk of chunksOf(multiplex.bytes)) {
      const known = timesOf(chunk)
      for (const left of filter.push(chunk))
        for (const [packet, ms] of timesOf(left)) assert.equal(ms, known.get(packet))
    }
  })

  test('passes nothing before the PAT, and nothing of an absent program', () => {
    const filter = new PacketFilter(KEEP, { ...all, program: 7 })
    assert.equal(filter.isEmpty, false)
    const left = chunksOf(multiplex.bytes).flatMap((chunk) => filter.push(chunk))
    assert.equal(filter.isEmpty, true)
    assert.deepEqual(pidsOf(bytesOf(left)), [1, NULL_PID])
  })
})

describe('a filter of PIDs', () => {
  const cases: readonly { name: string; selection: Partial<Selection>; pids: number[]; tracks: number[][] }[] = [
    {
      name: 'without an audio track',
      selection: { exclude: new Set([SECOND_AUDIO_2]) },
      pids: [0, 1, 0x11, VIDEO_1, AUDIO_1, 0x110, VIDEO_2, AUDIO_2, CLOCK_2, ...PMT, NULL_PID],
      tracks: [
        [VIDEO_1, AUDIO_1, 0x110],
        [VIDEO_2, AUDIO_2],
      ],
    },
    {
      name: 'only some, with the tables and clocks of their programs',
      selection: { include: new Set([AUDIO_1, AUDIO_2]) },
      pids: [0, VIDEO_1, AUDIO_1, AUDIO_2, CLOCK_2, ...PMT, NULL_PID],
      tracks: [[AUDIO_1], [AUDIO_2]],
    },
    {
      name: 'a program that loses all its tracks is removed',
      selection: { include: new Set([VIDEO_1]) },
      pids: [0, VIDEO_1, PMT[0]!, NULL_PID],
      tracks: [[VIDEO_1]],
    },
    {
      name: 'of one program',
      selection: { program: 2, exclude: new Set([SECOND_AUDIO_2, 1]) },
      pids: [0, VIDEO_2, AUDIO_2, CLOCK_2, PMT[1]!, NULL_PID],
      tracks: [[VIDEO_2, AUDIO_2]],
    },
    {
      name: 'tables cannot be dropped',
      selection: { program: 1, exclude: new Set([0, PMT[0]!, 0x110]) },
      pids: [0, 1, VIDEO_1, AUDIO_1, PMT[0]!, NULL_PID],
      tracks: [[VIDEO_1, AUDIO_1]],
    },
  ]
  for (const { name, selection, pids, tracks } of cases) {
    test(`leaves a consistent stream: ${name}`, () => {
      const left = filtered(multiplex.bytes, { ...all, ...selection })
      assert.deepEqual(pidsOf(bytesOf(left)), pids)
      assertConsistent(left)
      const programs = [...tableOf(left).programs.values()]
      assert.deepEqual(
        programs.map((program) => program.tracks.map(({ pid }) => pid)),
        tracks,
      )
      assert.ok(left.filter(({ randomAccess }) => randomAccess).length >= 4)
    })
  }

  test('keeps the clock of a dropped track, in packets without payload', () => {
    const left = bytesOf(filtered(multiplex.bytes, { ...all, exclude: new Set([VIDEO_1]) }))
    const clock = packetsOf(left, VIDEO_1)
    const isClock = (bytes: Uint8Array, offset: number): boolean => hasPcr(bytes, offset)
    assert.equal(clock.length / 188, multiplex.pcrs.filter(({ pid }) => pid === VIDEO_1).length)
    assert.ok(offsetsOf(clock).every((offset) => isClock(clock, offset) && !hasPayload(clock, offset)))
  })

  test('changes the version of a table only when its contents change', () => {
    const versions = (plans: readonly TsPlan[], exclude: readonly number[]): number[] => {
      const filter = new PacketFilter(KEEP, { ...all, exclude: new Set(exclude) })
      return plans.map((plan) => {
        const left = chunksOf(buildTs({ durationS: 1, ...plan }).bytes).flatMap((chunk) => filter.push(chunk))
        return tableOf(left).programs.get(1)?.version ?? -1
      })
    }
    const dubbed: TsPlan = { pmtVersion: 4, audio: [{}, { pid: 0x150 }] }
    assert.deepEqual(versions([{ pmtVersion: 3 }, dubbed, { pmtVersion: 5 }], [0x150]), [3, 3, 3])
    assert.deepEqual(
      versions([{ pmtVersion: 31 }, { ...dubbed, pmtVersion: 31 }, { pmtVersion: 0 }], [0x200]),
      [31, 0, 1],
    )
  })

  test('carries a discontinuity over a chunk that was dropped completely', () => {
    const filter = new PacketFilter({ ...KEEP, nullPackets: true }, { ...all, include: new Set([AUDIO_1]) })
    const [first, ...rest] = chunksOf(dropPackets(multiplex.bytes, { pid: NULL_PID }).bytes)
    const gone = chunksOf(packetsOf(multiplex.bytes, VIDEO_2))[0]!
    filter.push(first!)
    assert.deepEqual(filter.push({ ...gone, discontinuity: 'lost' }), [])
    assert.deepEqual(filter.push({ ...gone, discontinuity: false }), [])
    const [next] = rest.flatMap((chunk) => filter.push(chunk))
    assert.equal(next?.discontinuity, 'lost')
  })
})

/** Arrival times of marked packets in milliseconds, by their bytes. */
function timesOf({ bytes, marks }: TsChunk): Map<string, number> {
  const times = new Map<string, number>()
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    const offset = marks[at + MARK_OFFSET]!
    if (![VIDEO_1, AUDIO_1].includes(readPid(bytes, offset))) continue
    if ((marks[at + MARK_FLAGS]! & 5) === 0) continue
    times.set(Buffer.from(bytes.subarray(offset, offset + 188)).toString('latin1'), marks[at + MARK_MS]!)
  }
  return times
}
