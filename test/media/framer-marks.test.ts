import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTs } from '@millrace/engine/testing'
import type { BuiltTs } from '@millrace/engine/testing'
import {
  Framer,
  HAS_PCR,
  LAST_OF_PID,
  MARK_FLAGS,
  MARK_MS,
  MARK_OFFSET,
  MARK_PID,
  MARK_SIZE,
  PSI,
  RANDOM_ACCESS,
  UNIT_START,
} from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { parseTsPacket } from '../oracle/ts-packet.js'
import { frame } from './frame.js'
import { allStreams, builtStreams, PACKET } from './streams.js'

interface Mark {
  readonly offset: number
  readonly pid: number
  readonly flags: number
  readonly ms: number
}

test('marks are ordered, one record per packet, and have the PID of their packet', () => {
  for (const { name, bytes } of allStreams()) {
    for (const chunk of frame(bytes, { piece: 4000, flushEvery: 5 }).chunks) {
      let before = -1
      for (const { offset, pid, flags, ms } of marksOf(chunk)) {
        assert.ok(offset > before && offset < chunk.bytes.length && offset % PACKET === 0, name)
        assert.equal(pid, parseTsPacket(chunk.bytes.subarray(offset, offset + PACKET), 0).pid)
        assert.ok(flags !== 0 && ms >= 0)
        before = offset
      }
    }
  }
})

test('LAST_OF_PID is exactly on the last packet of each PID of each chunk', () => {
  for (const { name, bytes } of allStreams()) {
    for (const chunk of frame(bytes, { piece: 1316, flushEvery: 9 }).chunks) {
      const marked = marksOf(chunk).filter(({ flags }) => (flags & LAST_OF_PID) !== 0)
      const found = marked.map(({ pid, offset }) => [pid, offset])
      assert.deepEqual(found, lastPackets(chunk.bytes), name)
    }
  }
})

/** PID and offset of the last packet of each PID, in order; null packets have no counter to remember. */
function lastPackets(bytes: Uint8Array): number[][] {
  const lasts = new Map<number, number>()
  for (let offset = 0; offset < bytes.length; offset += PACKET) {
    const { pid } = parseTsPacket(bytes.subarray(offset, offset + PACKET), 0)
    if (pid !== 0x1fff) lasts.set(pid, offset)
  }
  return [...lasts].sort(([, a], [, b]) => a - b)
}

test('unit starts, clocks and tables are marked where the builder put them', () => {
  for (const { name, built } of builtStreams()) {
    const marks = allMarks(built, 1000)
    const units = [...built.units, ...built.sections].map(({ offset }) => offset)
    assert.deepEqual(offsetsWith(marks, UNIT_START), sorted(units), `unit starts of ${name}`)
    assert.deepEqual(offsetsWith(marks, HAS_PCR), sorted(built.pcrs.map(({ offset }) => offset)), `PCRs of ${name}`)
    assert.deepEqual(offsetsWith(marks, PSI), psiOffsets(built), `tables of ${name}`)
  }
})

test('random access points are marked where the builder put them, in every program', () => {
  for (const { name, built } of builtStreams()) {
    const marks = allMarks(built, 1000)
    const found = offsetsWith(marks, RANDOM_ACCESS)
    const points = built.units.filter(({ randomAccess }) => randomAccess).map(({ offset }) => offset)
    if (points.length > 0) assert.deepEqual(found, sorted(points.filter((at) => at > firstPmt(built))), name)
  }
})

test('small pushes give the same marks as one push, except for the times', () => {
  for (const { name, bytes } of allStreams()) {
    const whole = withoutTimes(frame(bytes).chunks)
    for (const piece of [188, 1000, 7777]) assert.deepEqual(withoutTimes(frame(bytes, { piece }).chunks), whole, name)
  }
})

test('the time of a mark is when its packet was pushed', () => {
  for (const { name, bytes } of allStreams()) {
    let start = 0
    for (const chunk of pushedInTime(bytes)) {
      // The time of a packet without flags of its own is not kept.
      for (const { offset, ms } of marksOf(chunk).filter(({ flags }) => flags !== LAST_OF_PID)) {
        const arrivedMs = 5000 + 3 * Math.floor((start + offset) / PACKET / 10)
        assert.equal(chunk.receivedAtMs + ms, arrivedMs, `${name} at ${start + offset}`)
      }
      start += chunk.bytes.length
    }
  }
})

/** Pushes ten packets every 3 ms, with occasional flushes. */
function pushedInTime(bytes: Uint8Array): readonly TsChunk[] {
  const framer = new Framer()
  const chunks: TsChunk[] = []
  for (let at = 0, nowMs = 5000; at < bytes.length; at += 10 * PACKET, nowMs += 3) {
    chunks.push(...framer.push(bytes.subarray(at, at + 10 * PACKET), nowMs))
    if (nowMs % 5 === 0) chunks.push(...framer.flush(nowMs))
  }
  return [...chunks, ...framer.finish(0)]
}

test('the first chunk does not have the time of the junk before it', () => {
  const framer = new Framer()
  const junk = new Uint8Array(300).fill(0x47, 0, 1)
  for (let nowMs = 0; nowMs < 100_000; nowMs += 100) framer.push(junk, nowMs)
  const { bytes } = buildTs({ durationS: 1 })
  framer.push(bytes, 100_000)
  const [first] = framer.flush(100_010)
  assert.equal(first?.receivedAtMs, 100_000)
})

function marksOf(chunk: TsChunk): Mark[] {
  const { marks } = chunk
  assert.equal(marks.length % MARK_SIZE, 0)
  return Array.from({ length: marks.length / MARK_SIZE }, (_, index) => {
    const at = index * MARK_SIZE
    return {
      offset: marks[at + MARK_OFFSET] ?? 0,
      pid: marks[at + MARK_PID] ?? 0,
      flags: marks[at + MARK_FLAGS] ?? 0,
      ms: marks[at + MARK_MS] ?? 0,
    }
  })
}

/** The marks of a whole stream, with offsets from its beginning. */
function allMarks(built: BuiltTs, piece: number): Mark[] {
  let start = 0
  return frame(built.bytes, { piece }).chunks.flatMap((chunk) => {
    const from = start
    start += chunk.bytes.length
    return marksOf(chunk).map((mark) => ({ ...mark, offset: mark.offset + from }))
  })
}

function offsetsWith(marks: readonly Mark[], flag: number): number[] {
  return marks.filter(({ flags }) => (flags & flag) !== 0).map(({ offset }) => offset)
}

/** Packets of PAT, CAT and SI, and of PMTs once a PAT has named their PID. */
function psiOffsets(built: BuiltTs): number[] {
  const pmtPids = new Set(built.sections.filter(({ tableId }) => tableId === 2).map(({ pid }) => pid))
  const firstPat = built.sections.find(({ tableId }) => tableId === 0)?.lastOffset ?? 0
  const offsets: number[] = []
  for (let offset = 0; offset < built.bytes.length; offset += PACKET) {
    const { pid } = parseTsPacket(built.bytes.subarray(offset, offset + PACKET), 0)
    if ([0, 1, 0x11].includes(pid) || (pmtPids.has(pid) && offset > firstPat)) offsets.push(offset)
  }
  return offsets
}

function firstPmt(built: BuiltTs): number {
  return built.sections.find(({ tableId }) => tableId === 2)?.lastOffset ?? 0
}

function sorted(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b)
}

function withoutTimes(chunks: readonly TsChunk[]): object[] {
  return chunks.map(({ bytes, randomAccess, marks, discontinuity }) => ({
    length: bytes.length,
    randomAccess,
    discontinuity,
    marks: marks.map((value, at) => (at % MARK_SIZE === MARK_MS ? 0 : value)),
  }))
}
