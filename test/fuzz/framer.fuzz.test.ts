// Random and damaged streams through everything that reads packets: nothing throws, all output is whole packets, and
// what is held stays bounded. FUZZ_RUNS sets how many streams, FUZZ_SEED which ones; by default more than 200,000
// pieces go into framers, and as many chunks go through PSI, PES and timeline.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  breakCrc,
  breakSyncByte,
  buildTs,
  cutMidPacket,
  dropPackets,
  duplicatePackets,
  junkBetween,
  scramble,
  setTei,
  withStride,
} from '@millrace/engine/testing'
import {
  Framer,
  MARK_FLAGS,
  MARK_OFFSET,
  MARK_PID,
  MARK_SIZE,
  MAX_CHUNK_BYTES,
  readPid,
  SpliceTracker,
  splitChunk,
  Timeline,
  TrackFollower,
} from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { seeded } from './seeded.js'

const DEFAULT_RUNS = 7200
const RUNS = Number(process.env['FUZZ_RUNS'] ?? DEFAULT_RUNS)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)
const PACKET = 188
/**
 * Least number of pieces, and of chunks, that the default number of runs reaches with any seed; chunks are the fewer.
 */
const LEAST = 200_000
/** Largest piece of a stream pushed in large pieces, and of one pushed in small pieces. */
const LARGE_PIECES = 80_000
const SMALL_PIECES = 4000
/** PMTs, plus eight sections each of PAT and CAT. */
const MAX_SECTIONS = 80
const MAX_PROGRAMS = 64
/** What a junction holds back, plus a framer's buffer and a push. */
const MAX_HELD = 2 * 1024 * 1024 + 3 * MAX_CHUNK_BYTES

const sources: readonly Uint8Array[] = [
  buildTs({ durationS: 2, video: { bFrames: 2 }, audio: [{}, {}], data: [{ kind: 'scte35' }, { kind: 'private' }] })
    .bytes,
  buildTs({ durationS: 1, video: { codec: 'h265', randomAccessIndicator: false }, pmtPackets: 3, nullEvery: 5 }).bytes,
  buildTs({ durationS: 1, programs: [{}, { video: { codec: 'mpeg2', boundedPes: true } }, { video: false }] }).bytes,
  buildTs({ durationS: 2, video: false, pcr: { pid: 0x1f0 }, psi: { cat: true, sdt: true } }).bytes,
  withStride(buildTs({ durationS: 1 }).bytes, 192),
  withStride(buildTs({ durationS: 1 }).bytes, 204),
]
const faults = [breakCrc, breakSyncByte, cutMidPacket, dropPackets, duplicatePackets, junkBetween, scramble, setTei]

type Random = () => number

test(`${RUNS} damaged streams do no harm`, (t) => {
  const sum = { pieces: 0, chunks: 0 }
  for (let run = 0; run < RUNS; run++) {
    const seed = SEED * 1_000_003 + run
    try {
      const { pieces, chunks } = runOne(seeded(seed))
      sum.pieces += pieces
      sum.chunks += chunks
    } catch (cause) {
      throw new Error(`run ${run}: repeat with FUZZ_SEED=${SEED} FUZZ_RUNS=${run + 1}`, { cause })
    }
  }
  const text = `${sum.pieces} pieces were pushed, ${sum.chunks} chunks were returned`
  t.diagnostic(text)
  if (RUNS >= DEFAULT_RUNS) assert.ok(Math.min(sum.pieces, sum.chunks) >= LEAST, `${text}: too few`)
})

/** Everything that a stream passes through, from its first generation to what viewers receive. */
class Path {
  readonly timeline = new Timeline()
  readonly tracker = new SpliceTracker()
  readonly #follower = new TrackFollower(this.tracker.table)
  readonly #random: Random
  #seq = 0
  /** Bytes returned by framers, and by the timeline. */
  framed = 0
  sent = 0
  /** Pieces pushed into framers, and chunks whose PSI and PES were read. */
  pieces = 0
  chunks = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Checks what a framer returned. */
  frame(chunks: readonly TsChunk[]): readonly TsChunk[] {
    for (const chunk of chunks) {
      assertWhole(chunk)
      this.framed += chunk.bytes.length
    }
    return chunks
  }

  push(chunks: readonly TsChunk[]): void {
    for (const chunk of this.frame(chunks)) this.send(this.timeline.push(chunk))
  }

  send(chunks: readonly TsChunk[]): void {
    for (const chunk of chunks) {
      assert.equal(chunk.origin.seq, this.#seq++)
      this.chunks++
      this.sent += chunk.bytes.length
      assertWhole(chunk)
      this.tracker.follow(chunk)
      this.#follower.follow(chunk)
      this.#follower.tracks(this.tracker.table.select(chunk.lead?.program))
      if (!chunk.randomAccess && this.#random() > 0.02) continue
      assertPackets(this.tracker.preamble())
      assertPackets(this.tracker.bridge())
      if (chunk.bytes.length > PACKET) splitChunk(chunk, PACKET).forEach(assertWhole)
    }
  }
}

/** Returns the path of the stream. */
function runOne(random: Random): Path {
  const path = new Path(random)
  const { timeline, tracker } = path
  let nowMs = random() * 1e6
  const generations = 1 + Math.floor(random() * 4)
  for (let generation = 0; generation < generations; generation++) {
    nowMs = runGeneration(path, generation, nowMs, random)
    assert.ok(path.framed - path.sent - timeline.counters.droppedPackets * PACKET <= MAX_HELD)
  }
  path.send(timeline.flush(Infinity))
  assert.equal(path.sent, path.framed - timeline.counters.droppedPackets * PACKET)
  assert.ok(tracker.table.sections.size <= MAX_SECTIONS && tracker.table.programs.size <= MAX_PROGRAMS)
  return path
}

/** Returns the time at which the next generation begins. */
function runGeneration(path: Path, generation: number, startMs: number, random: Random): number {
  const framer = new Framer({ generation, ...(random() < 0.2 ? { program: 1 + Math.floor(random() * 3) } : {}) })
  const bytes = damage(pick(sources, random), random)
  const before = path.framed
  const largest = random() < 0.5 ? LARGE_PIECES : SMALL_PIECES
  let nowMs = startMs
  for (let at = 0; at < bytes.length;) {
    const size = 1 + Math.floor(random() ** 3 * largest)
    path.pieces++
    path.push(framer.push(bytes.subarray(at, at + size), nowMs))
    at += size
    nowMs += random() * 60
    if (random() < 0.5) path.push(framer.flush(nowMs))
    path.send(path.timeline.flush(nowMs))
  }
  const last = path.frame(framer.finish(nowMs))
  assert.equal(path.framed - before, framer.counters.packets * PACKET)
  path.send(path.timeline.endGeneration(last, { timeline: random() < 0.5 ? 'elapsed' : 'contiguous' }))
  return nowMs + random() * 5000
}

function damage(source: Uint8Array, random: Random): Uint8Array {
  const from = Math.floor(random() * source.length * 0.5)
  let bytes: Uint8Array = source.slice(from, from + Math.floor(random() * source.length))
  const kind = random()
  if (kind < 0.1) return bytes.map(() => Math.floor(random() * 256))
  if (kind < 0.2) return bytes.map((_, at) => (at % PACKET === 0 ? 0x47 : Math.floor(random() * 256)))
  if (kind < 0.25) return bytes.fill(0x47)
  const whole = bytes.subarray(0, bytes.length - (bytes.length % PACKET))
  for (let times = Math.floor(random() * 3); times > 0 && whole.length > 0; times--) {
    bytes = pick(faults, random)(bytes, { every: 1 + Math.floor(random() * 60), skip: Math.floor(random() * 20) }).bytes
  }
  const flips = kind < 0.4 ? 0 : Math.floor(random() ** 3 * bytes.length * 0.02)
  for (let flip = 0; flip < flips; flip++) {
    const at = Math.floor(random() * bytes.length)
    // Headers, adaptation fields, PES headers and sections are hit most often.
    const near = random() < 0.7 ? at - (at % PACKET) + 1 + Math.floor(random() * 24) : at
    if (near < bytes.length) bytes[near] = Math.floor(random() * 256)
  }
  return bytes
}

function assertWhole(chunk: TsChunk): void {
  const { bytes, marks } = chunk
  assert.ok(bytes.length > 0 && bytes.length <= MAX_CHUNK_BYTES)
  assertPackets(bytes)
  assert.equal(marks.length % MARK_SIZE, 0)
  let before = -1
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    const offset = marks[at + MARK_OFFSET] ?? -1
    if (offset <= before || offset >= bytes.length || offset % PACKET !== 0)
      assert.fail(`mark at ${offset} after ${before}`)
    if (marks[at + MARK_PID] !== readPid(bytes, offset)) assert.fail(`the mark at ${offset} has another PID`)
    if (marks[at + MARK_FLAGS] === 0) assert.fail(`the mark at ${offset} says nothing`)
    before = offset
  }
}

function assertPackets(bytes: Uint8Array): void {
  assert.equal(bytes.length % PACKET, 0)
  for (let offset = 0; offset < bytes.length; offset += PACKET) {
    if (bytes[offset] !== 0x47) assert.fail(`no sync byte at ${offset}`)
  }
}

function pick<T>(items: readonly T[], random: Random): T {
  const item = items[Math.floor(random() * items.length)]
  assert.ok(item !== undefined)
  return item
}
