// The clocks of a stream as its marks show them: for each PID the first and last PCR and DTS, and the step between
// them. Values are 33-bit ticks at 90 kHz, times are monotonic milliseconds.
import type { Chunk } from './chunk.js'
import { HAS_PCR, MARK_FLAGS, MARK_MS, MARK_OFFSET, MARK_PID, MARK_SIZE, SCRAMBLED, UNIT_START } from './marks.js'
import { PACKET_SIZE, payloadOffset } from './packet.js'
import { readPcrBase } from './pcr.js'
import { pesPacketLength, readDts, readStreamId } from './pes.js'
import { difference33, mod33 } from './timestamps.js'

export interface PidClock {
  first: number
  firstAtMs: number
  last: number
  lastAtMs: number
  /** From the last value to the next expected one: the previous step; for audio, the duration of the last unit. */
  step: number
  /** Audio: ticks per byte of the previous units, and the size of the last unit. */
  ticksPerByte: number
  lastBytes: number
}

/** One frame at 25 fps, until a step has been seen. */
const DEFAULT_STEP = 3600
/** Steps back by more than this (10 s) are jumps of the source, not reordering. */
const MAX_DISORDER = 900_000
/** Steps longer than this (700 ms, TR 101 290 2.5) are pauses, as between subtitles, not the duration of a unit. */
const MAX_STEP = 63_000
/** How many PIDs have their clocks kept; damaged streams may have any number. */
const MAX_PIDS = 256
/** stream_id of audio streams, 110x xxxx, and of private_stream_1, which carries AC-3: ISO/IEC 13818-1 table 2-22. */
const AUDIO_STREAMS = 0xc0
const PRIVATE_STREAM_1 = 0xbd

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
      if ((flags & HAS_PCR) !== 0) note(this.pcr, pid, readPcrBase(bytes, offset), atMs, 0)
      if ((flags & (UNIT_START | SCRAMBLED)) !== UNIT_START || isSectionPid[pid] === 1) continue
      const end = offset + PACKET_SIZE
      const payload = payloadOffset(bytes, offset)
      note(this.dts, pid, readDts(bytes, payload, end), atMs, audioBytes(bytes, payload, end))
    }
  }
}

/**
 * The smallest number of ticks by which a unit or a PCR must follow the last one of its PID. Pictures and sound
 * continue one step later; a PCR only has to be later, as long as there are units that determine the distance.
 */
export function followTicks(kind: 'pcr' | 'dts', clock: PidClock, hasUnits: boolean): number {
  return kind === 'dts' || !hasUnits ? clock.step : 1
}

/**
 * By how much a stream that loops must be shifted, 90 kHz, so that its clocks keep increasing. 0 without clocks. The
 * same as a junction of the stream with itself.
 */
export function loopLength90k(clocks: StreamClocks): number {
  let longest = 0
  for (const kind of ['pcr', 'dts'] as const) {
    for (const clock of clocks[kind].values()) {
      longest = Math.max(longest, mod33(clock.last - clock.first) + followTicks(kind, clock, clocks.dts.size > 0))
    }
  }
  return longest
}

/** PES_packet_length of audio, from which the duration of the unit follows; 0 for everything else. */
function audioBytes(bytes: Uint8Array, payload: number, end: number): number {
  const streamId = readStreamId(bytes, payload, end)
  const isAudio = (streamId & 0xe0) === AUDIO_STREAMS || streamId === PRIVATE_STREAM_1
  return isAudio ? Math.max(0, pesPacketLength(bytes, payload, end)) : 0
}

function note(clocks: Map<number, PidClock>, pid: number, value: number, atMs: number, audio: number): void {
  if (value < 0) return
  const clock = clocks.get(pid)
  if (clock === undefined) {
    const first = { first: value, firstAtMs: atMs, last: value, lastAtMs: atMs, step: DEFAULT_STEP }
    if (clocks.size < MAX_PIDS) clocks.set(pid, { ...first, ticksPerByte: 0, lastBytes: audio })
    return
  }
  const step = difference33(value, clock.last)
  if (step > 0 && step <= MAX_STEP) {
    if (clock.lastBytes > 0) clock.ticksPerByte = step / clock.lastBytes
    const byBytes = Math.round(clock.ticksPerByte * audio)
    clock.step = byBytes > 0 ? Math.min(byBytes, 2 * step, MAX_STEP) : step
  }
  // A small step back is reordering: the highest value sent counts.
  if (step > 0 || step < -MAX_DISORDER) clock.last = value
  clock.lastBytes = audio
  clock.lastAtMs = atMs
}
