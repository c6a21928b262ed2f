// The clocks of a stream as its marks show them: for each PID the first and the last PCR and DTS, and how far apart they
// come. Numbers are 33-bit ticks of 90 kHz, times are monotonic milliseconds.
import type { Chunk } from './chunk.js'
import { HAS_PCR, MARK_FLAGS, MARK_MS, MARK_OFFSET, MARK_PID, MARK_SIZE, SCRAMBLED, UNIT_START } from './marks.js'
import { PACKET_SIZE, payloadOffset } from './packet.js'
import { readPcrBase } from './pcr.js'
import { readDts } from './pes.js'
import { difference33, mod33 } from './timestamps.js'

export interface PidClock {
  first: number
  firstAtMs: number
  last: number
  lastAtMs: number
  /** From one to the next, as seen last; a frame of 25 a second until it was seen. */
  step: number
}

const DEFAULT_STEP = 3600
/** Steps over this (10 s) are jumps of the source, not its cadence. */
const MAX_STEP = 900_000
/** PIDs of which clocks are kept; damaged streams may show any number. */
const MAX_PIDS = 256

export class StreamClocks {
  readonly pcr = new Map<number, PidClock>()
  readonly dts = new Map<number, PidClock>()

  /** Takes a chunk. `isSectionPid`: 1 for PIDs that carry no PES. */
  follow(chunk: Chunk, isSectionPid: Uint8Array): void {
    const { marks, bytes } = chunk
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      const flags = marks[at + MARK_FLAGS]!
      if ((flags & (HAS_PCR | UNIT_START)) === 0) continue
      const offset = marks[at + MARK_OFFSET]!
      const pid = marks[at + MARK_PID]!
      const atMs = chunk.receivedAtMs + marks[at + MARK_MS]!
      if ((flags & HAS_PCR) !== 0) note(this.pcr, pid, readPcrBase(bytes, offset), atMs)
      if ((flags & (UNIT_START | SCRAMBLED)) !== UNIT_START || isSectionPid[pid] === 1) continue
      const end = offset + PACKET_SIZE
      note(this.dts, pid, readDts(bytes, payloadOffset(bytes, offset), end), atMs)
    }
  }
}

/**
 * How far a stream that starts over has to be moved on, 90 kHz: what its clocks need to go on increasing, one step after
 * the last. 0 without clocks. The same as a junction of the stream with itself.
 */
export function loopLength90k({ pcr, dts }: StreamClocks): number {
  let longest = 0
  for (const { first, last, step } of [...pcr.values(), ...dts.values()]) {
    longest = Math.max(longest, mod33(last - first) + step)
  }
  return longest
}

function note(clocks: Map<number, PidClock>, pid: number, value: number, atMs: number): void {
  if (value < 0) return
  const clock = clocks.get(pid)
  if (clock === undefined) {
    if (clocks.size < MAX_PIDS) clocks.set(pid, { first: value, firstAtMs: atMs, last: value, lastAtMs: atMs, step: DEFAULT_STEP })
    return
  }
  const step = difference33(value, clock.last)
  if (step > 0 && step <= MAX_STEP) clock.step = step
  // A small step back is disorder: what counts is the highest value that was sent.
  if (step > 0 || step < -MAX_STEP) clock.last = value
  clock.lastAtMs = atMs
}
