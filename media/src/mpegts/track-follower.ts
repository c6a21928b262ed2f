// The tracks of a stream with a hash of their parameter sets: what must stay the same for a decoder to continue without
// notice. Examined where a decoder may start, once per GOP.
import type { Chunk, Track, TsChunk } from './chunk.js'
import { MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE, RANDOM_ACCESS, SCRAMBLED, UNIT_START } from './marks.js'
import { isUnitStart, PACKET_SIZE, payloadOffset, readPid } from './packet.js'
import { hashParameterSets } from './parameter-sets.js'
import { pesHeaderEnd } from './pes.js'
import type { Program, ProgramTable } from './program-table.js'

/** Parameter sets are at the start of an access unit; no more of it than this is examined. */
const MAX_UNIT_BYTES = 8 * 1024

export class TrackFollower {
  readonly #table: ProgramTable
  readonly #hashes = new Map<number, number>()
  readonly #unit = new Uint8Array(MAX_UNIT_BYTES)

  /** `table` follows the same stream; the caller updates it first. */
  constructor(table: ProgramTable) {
    this.#table = table
  }

  /** Takes a chunk; only one that begins at a random access point is examined. */
  follow(chunk: TsChunk): void {
    if (!chunk.randomAccess) return
    const { marks } = chunk
    const pending = new Map<number, Track>()
    for (const program of this.#table.programs.values())
      for (const track of program.tracks) pending.set(track.pid, track)
    for (let at = 0; at < marks.length && pending.size > 0; at += MARK_SIZE) {
      const flags = marks[at + MARK_FLAGS]!
      if ((flags & (UNIT_START | SCRAMBLED)) !== UNIT_START) continue
      const track = pending.get(marks[at + MARK_PID]!)
      if (track === undefined || (track.media === 'video' && (flags & RANDOM_ACCESS) === 0)) continue
      pending.delete(track.pid)
      if (track.media !== 'data') this.#note(chunk, marks[at + MARK_OFFSET]!, track)
    }
  }

  /** The tracks of a program, in the order of its PMT. */
  tracks(program: Program | undefined): readonly Track[] {
    if (program === undefined) return []
    return program.tracks.map((track) => ({ ...track, parameterSets: this.#hashes.get(track.pid) ?? 0 }))
  }

  #note(chunk: Chunk, offset: number, track: Track): void {
    const length = collectUnit(chunk.bytes, offset, track, this.#unit)
    const hash = hashParameterSets(track.codec, this.#unit, 0, length)
    if (hash !== 0) this.#hashes.set(track.pid, hash)
  }
}

/** True if a decoder of `before` can continue with `after`. Parameter sets not seen yet count as equal. */
export function areSameTracks(before: readonly Track[], after: readonly Track[]): boolean {
  if (before.length !== after.length) return false
  return before.every((track, index) => {
    const other = after[index]!
    const isSame = track.pid === other.pid && track.streamType === other.streamType && track.codec === other.codec
    return (
      isSame && (track.parameterSets === 0 || other.parameterSets === 0 || track.parameterSets === other.parameterSets)
    )
  })
}

/**
 * Copies the elementary stream of the unit that begins at `offset`, as far as chunk and buffer allow; returns its
 * length. Video goes on in the next PES packets: parameter sets may be in one of their own.
 */
export function collectUnit(
  bytes: Uint8Array,
  offset: number,
  { pid, media }: Pick<Track, 'pid' | 'media'>,
  into: Uint8Array,
): number {
  let length = 0
  for (let packet = offset; packet < bytes.length && length < into.length; packet += PACKET_SIZE) {
    if (readPid(bytes, packet) !== pid) continue
    const isStart = isUnitStart(bytes, packet)
    if (isStart && packet !== offset && media !== 'video') break
    const end = packet + PACKET_SIZE
    const payload = payloadOffset(bytes, packet)
    const start = isStart ? pesHeaderEnd(bytes, payload, end) : payload
    const part = bytes.subarray(start, Math.min(end, start + into.length - length))
    into.set(part, length)
    length += part.length
  }
  return length
}
