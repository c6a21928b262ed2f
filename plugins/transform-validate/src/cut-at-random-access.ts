// Cuts a chunk at its random access points, as the framer does: before the unit, and before the PAT and PMT packets
// that directly precede it.
import {
  MARK_FLAGS,
  MARK_OFFSET,
  MARK_PID,
  MARK_SIZE,
  PACKET_SIZE,
  PSI,
  RANDOM_ACCESS,
  splitChunk,
  UNIT_START,
} from '@millrace/media/mpegts'
import type { DecoderHead, TsChunk } from '@millrace/media/mpegts'

/**
 * Returns the chunk or its parts; `randomAccess` is true for those that begin at a random access point of its lead.
 * `isTable`: the PID carries the PAT or a PMT. `heads`: what decoders that start there lack, by the offset of the packet;
 * for the first one the chunk may know better.
 */
export function cutAtRandomAccess(
  chunk: TsChunk,
  isTable: (pid: number) => boolean,
  heads: ReadonlyMap<number, DecoderHead>,
): readonly TsChunk[] {
  const parts: TsChunk[] = []
  const { head: first, ...plain } = chunk
  let rest: TsChunk = { ...plain, randomAccess: false }
  let restAt = 0
  for (const [index, { start, unit }] of startsOf(chunk, isTable).entries()) {
    if (start > restAt) {
      const [before, tail] = splitChunk(rest, start - restAt)
      parts.push(before)
      rest = tail
      restAt = start
    }
    const head = (index === 0 ? first : undefined) ?? heads.get(unit)
    rest = { ...rest, randomAccess: true, ...(head === undefined ? {} : { head }) }
  }
  return [...parts, rest]
}

interface Start {
  /** Where to cut. */
  readonly start: number
  readonly unit: number
}

function startsOf({ marks, lead }: TsChunk, isTable: (pid: number) => boolean): Start[] {
  const starts: Start[] = []
  let runStart = -1
  let runEnd = -1
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    const offset = marks[at + MARK_OFFSET]!
    const flags = marks[at + MARK_FLAGS]!
    const pid = marks[at + MARK_PID]!
    if ((flags & PSI) !== 0 && isTable(pid)) {
      const continues = runStart >= 0 && runEnd === offset
      if (!continues) runStart = (flags & UNIT_START) !== 0 ? offset : -1
      runEnd = offset + PACKET_SIZE
    } else if ((flags & RANDOM_ACCESS) !== 0 && pid === lead?.pid) {
      starts.push({ start: runStart >= 0 && runEnd === offset ? runStart : offset, unit: offset })
    }
  }
  return starts
}
