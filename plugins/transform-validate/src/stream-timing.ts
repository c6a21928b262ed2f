// When the clock and the units of one program come: the PCR against the time of arrival, and sound against picture. A few
// numbers per PCR and per unit; nothing per packet.
import {
  difference33,
  DISCONTINUITY_INDICATOR,
  MARK_FLAGS,
  MARK_MS,
  MARK_OFFSET,
  MARK_PID,
  msFromTicks,
  NULL_PID,
  PACKET_SIZE,
  payloadOffset,
  readDts,
  readPcrBase,
} from '@millrace/media/mpegts'
import type { Chunk } from '@millrace/media/mpegts'

/** Readings are the largest or the mean of this many seconds. */
const SECONDS = 10
/** Part of the error by which the expected arrival follows at each PCR: evens out jitter, and follows the drift. */
const FOLLOW = 1 / 32
/** A clock that steps farther than this, by its value or against arrival, begins anew. */
const MOST_STEP_MS = 1000
/** Units farther than this from the clock are of another timeline. */
const MOST_LEAD_MS = 10_000

/** The PIDs of one program; NULL_PID for what it has not. */
export interface TimedPids {
  readonly pcr: number
  readonly video: number
  readonly audio: number
}

/** For `details`; what is not known is missing. */
export type TimingStatus = {
  /** Between two PCRs, by their values: mean and largest of the last seconds. */
  readonly pcrIntervalMs?: number
  readonly pcrIntervalMaxMs?: number
  /** The farthest that a PCR has come from when it was due, in the last seconds. */
  readonly pcrJitterMs?: number
  /** How much later the sound is to be decoded than the picture that comes with it, mean of the last seconds. */
  readonly avOffsetMs?: number
}

/** One for each of the last seconds. */
class Second {
  pcrs = 0
  intervalMs = 0
  intervalMaxMs = 0
  jitterMs = 0
  videoUnits = 0
  videoLeadMs = 0
  audioUnits = 0
  audioLeadMs = 0

  clear(): void {
    this.pcrs = this.intervalMs = this.intervalMaxMs = this.jitterMs = 0
    this.videoUnits = this.videoLeadMs = this.audioUnits = this.audioLeadMs = 0
  }
}

export class StreamTiming {
  readonly #onJitter: (seconds: number) => void
  readonly #seconds = Array.from({ length: SECONDS }, () => new Second())
  #now = this.#seconds[0]!
  #at = 0
  #pids: TimedPids = { pcr: NULL_PID, video: NULL_PID, audio: NULL_PID }
  /** Of the last PCR; -1 before the first. */
  #base = -1
  /** When the last PCR was due, by those before it. */
  #dueMs = 0

  /** `onJitter`: called at each PCR with how far from its due time it has come. */
  constructor(onJitter: (seconds: number) => void) {
    this.#onJitter = onJitter
  }

  /** The program to look at from now on. */
  follow(pids: TimedPids): void {
    const { pcr, video, audio } = this.#pids
    if (pids.pcr === pcr && pids.video === video && pids.audio === audio) return
    this.#pids = pids
    this.restart()
  }

  /** What comes next does not continue what came before. */
  restart(): void {
    this.#base = -1
    for (const second of this.#seconds) second.clear()
  }

  /** A packet with a PCR, by the mark at `at`. */
  clock({ bytes, marks, receivedAtMs }: Chunk, at: number): void {
    if (marks[at + MARK_PID] !== this.#pids.pcr) return
    const base = readPcrBase(bytes, marks[at + MARK_OFFSET]!)
    if (base < 0) return
    const arrivalMs = receivedAtMs + marks[at + MARK_MS]!
    const stepMs = msFromTicks(difference33(base, this.#base))
    const lateMs = arrivalMs - (this.#dueMs + stepMs)
    const isMarked = (marks[at + MARK_FLAGS]! & DISCONTINUITY_INDICATOR) !== 0
    const isNew = this.#base < 0 || isMarked || stepMs < 0 || stepMs > MOST_STEP_MS || Math.abs(lateMs) > MOST_STEP_MS
    this.#base = base
    this.#dueMs = isNew ? arrivalMs : arrivalMs - lateMs * (1 - FOLLOW)
    if (isNew) return
    const second = this.#now
    const jitterMs = Math.abs(lateMs)
    second.pcrs++
    second.intervalMs += stepMs
    if (stepMs > second.intervalMaxMs) second.intervalMaxMs = stepMs
    if (jitterMs > second.jitterMs) second.jitterMs = jitterMs
    this.#onJitter(jitterMs / 1000)
  }

  /** A packet in which a unit begins, by the mark at `at`. */
  unit({ bytes, marks }: Chunk, at: number): void {
    const pid = marks[at + MARK_PID]!
    const { video, audio } = this.#pids
    if (this.#base < 0 || (pid !== video && pid !== audio)) return
    const offset = marks[at + MARK_OFFSET]!
    const dts90k = readDts(bytes, payloadOffset(bytes, offset), offset + PACKET_SIZE)
    if (dts90k < 0) return
    const leadMs = msFromTicks(difference33(dts90k, this.#base))
    if (Math.abs(leadMs) > MOST_LEAD_MS) return
    if (pid === video) {
      this.#now.videoUnits++
      this.#now.videoLeadMs += leadMs
    } else {
      this.#now.audioUnits++
      this.#now.audioLeadMs += leadMs
    }
  }

  /** Called once a second. */
  measure(): void {
    this.#at = (this.#at + 1) % SECONDS
    this.#now = this.#seconds[this.#at]!
    this.#now.clear()
  }

  /** Undefined if no second has both sound and picture. */
  get avOffsetMs(): number | undefined {
    let [video, audio, videoMs, audioMs] = [0, 0, 0, 0]
    for (const { videoUnits, videoLeadMs, audioUnits, audioLeadMs } of this.#seconds) {
      video += videoUnits
      audio += audioUnits
      videoMs += videoLeadMs
      audioMs += audioLeadMs
    }
    return video === 0 || audio === 0 ? undefined : audioMs / audio - videoMs / video
  }

  status(): TimingStatus {
    let [pcrs, sumMs, maxMs, jitterMs] = [0, 0, 0, 0]
    for (const second of this.#seconds) {
      pcrs += second.pcrs
      sumMs += second.intervalMs
      maxMs = Math.max(maxMs, second.intervalMaxMs)
      jitterMs = Math.max(jitterMs, second.jitterMs)
    }
    const { avOffsetMs } = this
    const clock =
      pcrs === 0
        ? {}
        : {
            pcrIntervalMs: Math.round(sumMs / pcrs),
            pcrIntervalMaxMs: Math.round(maxMs),
            pcrJitterMs: tenths(jitterMs),
          }
    return { ...clock, ...(avOffsetMs === undefined ? {} : { avOffsetMs: Math.round(avOffsetMs) }) }
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
