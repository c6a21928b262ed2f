// Chunks are immutable; these functions derive new ones: without some packets, or split in two. Marks are kept correct.
import type { Chunk, TsChunk } from './chunk.js'
import { LAST_OF_PID, MARK_FLAGS, MARK_MS, MARK_OFFSET, MARK_PID, MARK_SIZE, RANDOM_ACCESS } from './marks.js'
import { hasTransportError, NULL_PID, PACKET_SIZE, readPid } from './packet.js'

/**
 * The chunk without the packets whose `drop[index]` is 1. Returns the same chunk if there are none; undefined if
 * nothing is left.
 */
export function withoutPackets(chunk: TsChunk, drop: Uint8Array): TsChunk | undefined {
  const count = chunk.bytes.length / PACKET_SIZE
  let dropped = 0
  for (let index = 0; index < count; index++) dropped += drop[index]!
  if (dropped === 0) return chunk
  if (dropped === count) return undefined
  const bytes = new Uint8Array((count - dropped) * PACKET_SIZE)
  const moved = new Int32Array(count).fill(-1)
  let length = 0
  for (let index = 0; index < count; index++) {
    if (drop[index] === 1) continue
    const from = index * PACKET_SIZE
    bytes.set(chunk.bytes.subarray(from, from + PACKET_SIZE), length)
    moved[index] = length
    length += PACKET_SIZE
  }
  const marks = movedMarks(chunk.marks, moved, bytes)
  if (!chunk.randomAccess || keepsStart(chunk, drop)) return { ...chunk, bytes, marks }
  const { head: _, ...rest } = chunk
  return { ...rest, bytes, marks, randomAccess: false }
}

/** True if the unit that makes the chunk a random access point is kept: the first one of its lead. */
function keepsStart({ marks, lead }: TsChunk, drop: Uint8Array): boolean {
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    if (lead !== undefined && marks[at + MARK_PID] !== lead.pid) continue
    if ((marks[at + MARK_FLAGS]! & RANDOM_ACCESS) !== 0) return drop[marks[at + MARK_OFFSET]! / PACKET_SIZE] === 0
  }
  return false
}

/** The packets before `offset` and from it on, each in a buffer of its own. `offset` lies inside the chunk. */
export function splitChunk(chunk: TsChunk, offset: number): readonly [TsChunk, TsChunk] {
  const [before, after] = splitPackets(chunk, offset)
  const { head: _, ...rest } = chunk
  return [
    { ...chunk, ...before },
    { ...rest, ...after, discontinuity: false, randomAccess: false },
  ]
}

/**
 * A chunk whose picture begins inside a packet: what a reader that starts with it does not get, and the rest, if there
 * is any (if not, no reader can start with it). Undefined for all others.
 */
export function splitAtStart<Any extends Chunk>(
  chunk: Any,
): { readonly before: Chunk; readonly rest: Any | undefined } | undefined {
  const { head, marks, bytes } = chunk
  if (head === undefined || !head.startsInside) return undefined
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    if ((marks[at + MARK_FLAGS]! & RANDOM_ACCESS) === 0) continue
    const offset = marks[at + MARK_OFFSET]! + PACKET_SIZE
    if (offset >= bytes.length) break
    const [before, rest] = splitPackets(chunk, offset)
    return { before: { ...chunk, ...before }, rest: { ...chunk, ...rest } }
  }
  return { before: chunk, rest: undefined }
}

type Packets = Pick<Chunk, 'bytes' | 'marks'>

function splitPackets(chunk: Chunk, offset: number): readonly [Packets, Packets] {
  const count = chunk.bytes.length / PACKET_SIZE
  const head = new Int32Array(count).fill(-1)
  const tail = new Int32Array(count).fill(-1)
  for (let index = 0; index < count; index++) {
    const from = index * PACKET_SIZE
    if (from < offset) head[index] = from
    else tail[index] = from - offset
  }
  const before = chunk.bytes.slice(0, offset)
  const after = chunk.bytes.slice(offset)
  return [
    { bytes: before, marks: movedMarks(chunk.marks, head, before) },
    { bytes: after, marks: movedMarks(chunk.marks, tail, after) },
  ]
}

/** The records of the packets to which `moved` gives a new offset, with LAST_OF_PID recomputed. */
function movedMarks(marks: Int32Array, moved: Int32Array, bytes: Uint8Array): Int32Array {
  const lasts = lastPackets(bytes)
  const records: number[] = []
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    const offset = moved[marks[at + MARK_OFFSET]! / PACKET_SIZE]!
    if (offset < 0) continue
    while (lasts.length > 0 && lasts[0]! < offset) addLast(records, lasts.shift()!, bytes)
    const isLast = lasts[0] === offset
    if (isLast) lasts.shift()
    const flags = (marks[at + MARK_FLAGS]! & ~LAST_OF_PID) | (isLast ? LAST_OF_PID : 0)
    if (flags !== 0) records.push(offset, marks[at + MARK_PID]!, flags, marks[at + MARK_MS]!)
  }
  while (lasts.length > 0) addLast(records, lasts.shift()!, bytes)
  return Int32Array.from(records)
}

function addLast(records: number[], offset: number, bytes: Uint8Array): void {
  records.push(offset, readPid(bytes, offset), LAST_OF_PID, records.at(-1) ?? 0)
}

/** Offsets of the last packet of each PID, ascending. */
function lastPackets(bytes: Uint8Array): number[] {
  const seen = new Set<number>([NULL_PID])
  const offsets: number[] = []
  for (let offset = bytes.length - PACKET_SIZE; offset >= 0; offset -= PACKET_SIZE) {
    const pid = readPid(bytes, offset)
    if (hasTransportError(bytes, offset) || seen.has(pid)) continue
    seen.add(pid)
    offsets.push(offset)
  }
  return offsets.reverse()
}
