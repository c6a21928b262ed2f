// When each byte of a stream is to be sent: by the PCR of the program that leads, mapped to the clock of the engine, so that a stream
// that comes in bursts leaves evenly. Without PCR, by the times of arrival. No timers: the time is an argument.
import type { Chunk } from './chunk.js'
import { leadClockPid } from './lead-clock.js'
import { DISCONTINUITY_INDICATOR, HAS_PCR, MARK_FLAGS, MARK_MS, MARK_OFFSET, MARK_PID, MARK_SIZE } from './marks.js'
import { PACKET_SIZE } from './packet.js'
import { readPcr27M } from './pcr.js'
import { ProgramTable } from './program-table.js'

/** Called with bytes that are due; `dueMs` is the time for which the first of them was planned. */
export type Emit = (bytes: Uint8Array, start: number, end: number, dueMs: number) => void

/** Whole packets that leave evenly between two times. */
interface Segment {
  readonly bytes: Uint8Array
  next: number
  readonly start: number
  readonly end: number
  readonly fromMs: number
  readonly toMs: number
}

const TICKS_PER_MS = 27_000
/** Of a PCR, in milliseconds. */
const WRAP_MS = (2 ** 33 * 300) / TICKS_PER_MS
/** A larger step of the PCR is a new clock; ISO/IEC 13818-1 allows 100 ms between two. */
const MAX_STEP_MS = 1_000
/** Without a PCR that advances for so long, the stream is paced by arrival, or by the PCR of another PID. */
const PCR_GONE_MS = 1_000
/** Part of the error by which the mapping follows at each PCR: evens out jitter, and follows the drift of a clock. */
const FOLLOW = 1 / 100
/** More than this is never held, whatever the clock says. */
export const MAX_PACED_BYTES = 32 * 1024 * 1024

export class PcrPacer {
  queuedBytes = 0
  /** How often the clock of the stream had to be mapped anew. */
  anchors = 0
  #segments: Segment[] = []
  #head = 0
  /** Segments before this one have been released: they are due. */
  #releasedTo = 0
  /** Of the last byte in the queue. */
  #lastDueMs = -Infinity
  #pid = -1
  readonly #table = new ProgramTable()
  #seenChanges = -1
  #program: number | undefined
  /** PCR PID of the program that leads; -1 while it is not known. */
  #leadPid = -1
  /** Its newest PCR, while another one is in use; NaN before the first. */
  #leadPcrMs = Number.NaN
  #pcrMs = Number.NaN
  #pcrSeenMs = -Infinity
  /** Due time of a PCR is its value plus this; NaN before the first. */
  #offsetMs = Number.NaN
  #bytesSincePcr = 0
  #bytesPerMs = 0

  /** The time for which the last byte in the queue is planned. */
  get lastDueMs(): number {
    return this.#lastDueMs
  }

  get isEmpty(): boolean {
    return this.#head === this.#segments.length
  }

  /**
   * Plans the bytes of a chunk. `canWait`: the source waits when asked to, so that being far ahead of time is no reason
   * to send early.
   */
  push(chunk: Chunk, nowMs: number, latencyMs: number, canWait: boolean): void {
    const { bytes, marks, receivedAtMs, discontinuity } = chunk
    this.#followLead(chunk)
    if (discontinuity !== false) this.#offsetMs = Number.NaN
    if (nowMs - this.#pcrSeenMs > PCR_GONE_MS) this.#pid = -1
    let start = 0
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      const flags = marks[at + MARK_FLAGS]!
      if ((flags & HAS_PCR) === 0) continue
      const pid = marks[at + MARK_PID]!
      if (this.#pid >= 0 && pid !== this.#pid && pid !== this.#leadPid) continue
      const offset = marks[at + MARK_OFFSET]!
      const pcrMs = readPcr27M(bytes, offset) / TICKS_PER_MS
      if (!this.#uses(pid, pcrMs)) continue
      if ((flags & DISCONTINUITY_INDICATOR) !== 0) this.#offsetMs = Number.NaN
      const arrivedMs = receivedAtMs + marks[at + MARK_MS]!
      const dueMs = this.#map(pcrMs, { arrivedMs, nowMs, latencyMs, canWait }, offset - start)
      this.#add(bytes, start, offset, dueMs)
      start = offset
      this.#bytesSincePcr = 0
      this.#pcrSeenMs = nowMs
    }
    this.#addRest(bytes, start, nowMs, receivedAtMs + latencyMs, latencyMs)
    this.#bytesSincePcr += bytes.length - start
    if (this.queuedBytes > MAX_PACED_BYTES) this.#release(nowMs)
  }

  /** Emits the packets that are due: an unfinished datagram never ends within one. */
  take(nowMs: number, emit: Emit): void {
    while (this.#head < this.#segments.length) {
      const segment = this.#segments[this.#head]!
      const { bytes, start, end, fromMs, toMs, next } = segment
      const isWhole = nowMs >= toMs
      const due = isWhole ? end - start : ((end - start) * (nowMs - fromMs)) / (toMs - fromMs)
      const until = start + Math.floor(due / PACKET_SIZE) * PACKET_SIZE
      if (until > next) {
        emit(bytes, next, until, fromMs + ((toMs - fromMs) * (next - start)) / (end - start))
        this.queuedBytes -= until - next
        segment.next = until
      }
      if (!isWhole) break
      this.#head++
    }
    this.#compact()
  }

  #followLead(chunk: Chunk): void {
    this.#table.follow(chunk)
    const program = chunk.lead?.program
    if (this.#table.changes === this.#seenChanges && program === this.#program) return
    this.#seenChanges = this.#table.changes
    this.#program = program
    const before = this.#leadPid
    this.#leadPid = leadClockPid(this.#table, program)
    if (this.#leadPid !== before) this.#leadPcrMs = Number.NaN
  }

  /** A clock that stands still is none. That of the program that leads takes over as soon as it advances. */
  #uses(pid: number, pcrMs: number): boolean {
    if (this.#pid >= 0 && pid !== this.#pid) {
      const before = this.#leadPcrMs
      this.#leadPcrMs = pcrMs
      if (Number.isNaN(before) || before === pcrMs) return false
      this.#leadPcrMs = Number.NaN
      this.#offsetMs = Number.NaN
    } else if (pcrMs === this.#pcrMs) return false
    this.#pid = pid
    return true
  }

  /** The due time of a PCR. `between`: bytes in front of it that have not been planned. */
  #map(pcrMs: number, at: Arrival, between: number): number {
    const stepMs = mod(pcrMs - this.#pcrMs)
    const isKnown = !Number.isNaN(this.#offsetMs) && stepMs <= MAX_STEP_MS
    if (isKnown && stepMs > 0) this.#bytesPerMs = (this.#bytesSincePcr + between) / stepMs
    // The offset counts in values without wraps.
    if (isKnown && pcrMs < this.#pcrMs) this.#offsetMs += WRAP_MS
    this.#pcrMs = pcrMs
    if (!isKnown) {
      this.anchors++
      const firstMs = this.#lastDueMs >= at.nowMs ? this.#lastDueMs : at.nowMs + at.latencyMs
      this.#offsetMs = firstMs - pcrMs
      return firstMs
    }
    this.#offsetMs += (at.arrivedMs + at.latencyMs - (pcrMs + this.#offsetMs)) * FOLLOW
    return this.#within(pcrMs, at)
  }

  /** A stream that is late is sent from now on; one that is far ahead is sent at once. */
  #within(pcrMs: number, { nowMs, latencyMs, canWait }: Arrival): number {
    const dueMs = pcrMs + this.#offsetMs
    const isLate = dueMs < nowMs
    const isAhead = !canWait && dueMs - nowMs > 2 * latencyMs + MAX_BATCH_MS
    if (!isLate && !isAhead) return Math.max(dueMs, this.#lastDueMs)
    this.anchors++
    const anchorMs = isLate ? nowMs : nowMs + latencyMs
    this.#offsetMs = anchorMs - pcrMs
    if (isAhead) this.#release(nowMs)
    return Math.max(anchorMs, isAhead ? nowMs : this.#lastDueMs)
  }

  /** Everything in the queue is due now. */
  #release(nowMs: number): void {
    for (let at = Math.max(this.#head, this.#releasedTo); at < this.#segments.length; at++) {
      this.#segments[at] = { ...this.#segments[at]!, fromMs: nowMs, toMs: nowMs }
    }
    this.#releasedTo = this.#segments.length
    this.#lastDueMs = nowMs
  }

  /** What follows the last PCR: at the rate so far, or without PCR as it arrived. */
  #addRest(bytes: Uint8Array, start: number, nowMs: number, arrivalDueMs: number, latencyMs: number): void {
    const length = bytes.length - start
    if (length === 0) return
    const hasPcr = nowMs - this.#pcrSeenMs <= PCR_GONE_MS && this.#bytesPerMs > 0
    if (hasPcr) return this.#add(bytes, start, bytes.length, this.#lastDueMs + length / this.#bytesPerMs)
    // Between two chunks, the stream was silent.
    if (this.#lastDueMs < arrivalDueMs - MAX_BATCH_MS) this.#lastDueMs = arrivalDueMs
    this.#add(bytes, start, bytes.length, Math.max(this.#lastDueMs, nowMs + latencyMs))
  }

  #add(bytes: Uint8Array, start: number, end: number, dueMs: number): void {
    const fromMs = this.#lastDueMs === -Infinity ? dueMs : Math.min(this.#lastDueMs, dueMs)
    const toMs = Math.max(dueMs, fromMs)
    this.#lastDueMs = toMs
    if (start === end) return
    this.queuedBytes += end - start
    this.#segments.push({ bytes, next: start, start, end, fromMs, toMs })
  }

  #compact(): void {
    if (this.#head < this.#segments.length && this.#head < 64) return
    this.#segments.splice(0, this.#head)
    this.#releasedTo = Math.max(0, this.#releasedTo - this.#head)
    this.#head = 0
  }
}

interface Arrival {
  readonly arrivedMs: number
  readonly nowMs: number
  readonly latencyMs: number
  readonly canWait: boolean
}

/** Chunks come at least this often, by default (`batch`). */
const MAX_BATCH_MS = 50

function mod(ms: number): number {
  return ((ms % WRAP_MS) + WRAP_MS) % WRAP_MS
}
