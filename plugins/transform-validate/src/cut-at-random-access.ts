// Cuts a chunk at its random access points, as the framer does: before the unit, and before the PAT and PMT packets
// that directly precede it.
import {
  MARK_FLAGS,
  MARK_OFFSET,
  MARK_PID,
  MARK_SIZE,
  PACKET_SIZE,
  PAT_PID,
  PSI,
  RANDOM_ACCESS,
  splitChunk,
  UNIT_START,
} from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'

/** PIDs below it carry tables of the whole stream: ISO/IEC 13818-1 table 2-3, EN 300 468 table 1. */
const FIRST_PROGRAM_PID = 0x20

/** Returns the chunk or its parts; `randomAccess` is true for those that begin at a random access point. */
export function cutAtRandomAccess(chunk: TsChunk): readonly TsChunk[] {
  const parts: TsChunk[] = []
  let rest: TsChunk = { ...chunk, randomAccess: false }
  let restAt = 0
  for (const start of startsOf(chunk.marks)) {
    if (start > restAt) {
      const [head, tail] = splitChunk(rest, start - restAt)
      parts.push(head)
      rest = tail
      restAt = start
    }
    rest = { ...rest, randomAccess: true }
  }
  return [...parts, rest]
}

function startsOf(marks: Int32Array): number[] {
  const starts: number[] = []
  let runStart = -1
  let runEnd = -1
  for (let at = 0; at < marks.length; at += MARK_SIZE) {
    const offset = marks[at + MARK_OFFSET]!
    const flags = marks[at + MARK_FLAGS]!
    const pid = marks[at + MARK_PID]!
    if ((flags & PSI) !== 0 && (pid === PAT_PID || pid >= FIRST_PROGRAM_PID)) {
      const continues = runStart >= 0 && runEnd === offset
      if (!continues) runStart = (flags & UNIT_START) !== 0 ? offset : -1
      runEnd = offset + PACKET_SIZE
    } else if ((flags & RANDOM_ACCESS) !== 0) {
      starts.push(runStart >= 0 && runEnd === offset ? runStart : offset)
    }
  }
  return starts
}
