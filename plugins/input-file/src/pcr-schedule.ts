// Computes when each byte of a file is due, by the program clock of its stream: bytes between two PCRs are spread
// evenly over the time between them (ISO/IEC 13818-1 2.4.2.2). Of several programs, the clock is that of the one that
// leads. Where no PCR tells the time, DTS takes its place. No timers and no I/O: blocks in, due bytes out.
import {
  findSync,
  hasPcr,
  isUnitStart,
  leadClockPid,
  leadTrackPid,
  PACKET_SIZE,
  payloadOffset,
  PID_COUNT,
  ProgramTable,
  readDts,
  readPcr27M,
  readPid,
  SYNC_BYTE,
} from '@millrace/media/mpegts'
import type { SyncResult } from '@millrace/media/mpegts'

/** PCR ticks per millisecond. */
const TICKS_PER_MS = 27_000
/** The PCR wraps to 0 after this many ticks. */
const PCR_WRAP = 2 ** 33 * 300
/** A PCR further ahead than this (10 s), or behind, is a jump: time continues at the previous pace. */
const MAX_STEP_MS = 10_000
/**
 * After this long without a PCR, at the previous pace, bytes are due at that pace; and after this long by another clock,
 * the PCR or DTS of another PID, that one takes over.
 */
const MAX_SILENT_MS = 1000
/** The pace is measured over once to twice this time: between two DTS may be a single packet, or a key frame. */
const PACE_MS = 1000

/** Without two different PCRs in this many bytes, or in the whole file, DTS is the clock. */
const PCR_SEARCH_BYTES = 1024 * 1024
const TICKS_PER_90K = 300
/** How many other clocks may take over; a multiplex can have many. */
const MAX_OTHERS = 64
/** Added to the PID of a DTS, so that the PCRs of the same PID are another clock. */
const DTS_CLOCK = PID_COUNT
/** How many DTS are remembered until then. */
const MAX_DTS = 16_384

/** A clock value in the file. */
interface ClockValue {
  /** With DTS_CLOCK if it is a DTS. */
  readonly pid: number
  readonly ticks27M: number
  readonly position: number
}

interface Point {
  /** Bytes from the start of the file. */
  readonly position: number
  /** Milliseconds from the first PCR. */
  readonly ms: number
}

const START: Point = { position: 0, ms: 0 }

export class PcrSchedule {
  /** Buffers of blocks that have been handed over completely; the caller removes those that it reuses. */
  readonly spent: Uint8Array[] = []
  /** Blocks that are not due yet; #released is the position of the first byte of the first one. */
  readonly #blocks: Uint8Array[] = []
  readonly #points: Point[] = []
  readonly #found: SyncResult = { at: 0, stride: 0 }
  /** Bytes at the end of the last block that have not been searched yet, and the position of the first of them. */
  #rest = new Uint8Array(0)
  #restAt = 0
  #stride = 0
  #pcrPid = -1
  readonly #table = new ProgramTable()
  #seenChanges = 0
  /** The clock of the program that leads, as in a ClockValue; -1 while it is not known. */
  #leadPid = -1
  /** Its newest value, while another clock is in use; -1 before the first. */
  #leadTicks = -1
  #firstPcr: number | undefined
  #lastPcr = -1
  #bytesPerMs = 0
  /** First values of other clocks, by PID, since the last value of the one in use. */
  readonly #others = new Map<number, number>()
  /** The pace is that since the first of these points; the second one takes its place. */
  #paceFrom: Point = START
  #paceNext: Point = START
  #released = 0
  #filled = 0
  #isEnded = false
  /** Those of the units so far; undefined when the file has its clock. */
  #dts: ClockValue[] | undefined = []
  #isByDts = false

  /** Milliseconds from the first PCR to the last byte whose time is known; -1 before the first. */
  get knownMs(): number {
    const last = this.#points.at(-1)
    return last === undefined ? -1 : last.ms + this.#silentMs
  }

  /** Two PCRs have been found, so bytes have a time. */
  get isPaced(): boolean {
    return this.#bytesPerMs > 0
  }

  /** A PCR, or a DTS, has been found. */
  get hasClock(): boolean {
    return this.#points.length > 0
  }

  get waitingBytes(): number {
    return this.#filled - this.#released
  }

  /** Difference of the last and first PCR, 27 MHz, including jumps; -1 if there was none. */
  get span27M(): number {
    if (this.#firstPcr === undefined) return -1
    return (((this.#lastPcr - this.#firstPcr) % PCR_WRAP) + PCR_WRAP) % PCR_WRAP
  }

  /** Milliseconds from the first PCR to the last one, without jumps. */
  get lastPcrMs(): number {
    return this.#points.at(-1)?.ms ?? 0
  }

  /** Takes the next block of the file, and keeps it. */
  push(block: Uint8Array): void {
    this.#blocks.push(block)
    this.#filled += block.length
    const bytes = joined(this.#rest, block)
    const searched = this.#search(bytes)
    this.#rest = bytes.slice(searched)
    this.#restAt += searched
    if (this.#restAt >= PCR_SEARCH_BYTES) this.#decideClock()
  }

  /** No more blocks: bytes after the last PCR are due at the pace before it. */
  end(): void {
    this.#decideClock()
    this.#isEnded = true
  }

  /** Milliseconds from the first PCR to the end of the file; true only after `end`. */
  get durationMs(): number {
    const last = this.#points.at(-1)
    if (last === undefined || this.#bytesPerMs === 0) return 0
    return last.ms + (this.#filled - last.position) / this.#bytesPerMs
  }

  /** Hands over the packets that are due `ms` after the first PCR, as views of the blocks. */
  take(ms: number): Uint8Array[] {
    const due: Uint8Array[] = []
    let missing = this.#dueAt(ms) - this.#released
    while (missing > 0) {
      const block = this.#blocks[0]
      if (block === undefined) break
      const part = Math.min(missing, block.length)
      due.push(block.subarray(0, part))
      if (part === block.length) {
        this.#blocks.shift()
        this.spent.push(new Uint8Array(block.buffer))
      } else this.#blocks[0] = block.subarray(part)
      this.#released += part
      missing -= part
    }
    return due
  }

  /**
   * Milliseconds since the last PCR, at the previous pace; 0 unless that is long enough to be due without another PCR.
   */
  get #silentMs(): number {
    const last = this.#points.at(-1)
    if (last === undefined || this.#bytesPerMs === 0) return 0
    const ms = (this.#filled - last.position) / this.#bytesPerMs
    return ms > MAX_SILENT_MS ? ms : 0
  }

  /**
   * A packet is due with its last byte: part of a packet is of no use. Half a byte is added, because the position
   * computed for the end of a packet can be slightly too low.
   */
  #dueAt(ms: number): number {
    const position = Math.floor(this.#positionAt(ms) + 0.5)
    const from = this.#points[0]?.position ?? 0
    if (position === this.#filled || this.#stride === 0) return position
    return position - ((position - from) % this.#stride)
  }

  #positionAt(ms: number): number {
    while (this.#points.length >= 2 && this.#points[1]!.ms <= ms) this.#points.shift()
    const [from, to] = this.#points
    if (from === undefined) return this.#isEnded ? this.#filled : 0
    if (to !== undefined) {
      const share = Math.max(0, ms - from.ms) / (to.ms - from.ms)
      return from.position + share * (to.position - from.position)
    }
    if (!this.#isEnded && this.#silentMs === 0) return from.position
    if (this.#bytesPerMs === 0) return this.#filled
    return Math.min(this.#filled, from.position + Math.max(0, ms - from.ms) * this.#bytesPerMs)
  }

  /** Reads the PCRs of whole packets; returns the offset at which it stopped. */
  #search(bytes: Uint8Array): number {
    let at = 0
    for (;;) {
      if (this.#stride === 0 || bytes[at] !== SYNC_BYTE) {
        findSync(bytes, at, bytes.length, false, this.#found)
        at = this.#found.at
        this.#stride = this.#found.stride
        if (this.#stride === 0) return at
      }
      if (at + Math.max(this.#stride, PACKET_SIZE) > bytes.length) return at
      this.#readClock(bytes, at)
      at += this.#stride
      if (at === bytes.length) return at
    }
  }

  #readClock(bytes: Uint8Array, at: number): void {
    if (this.#table.isSectionPid[readPid(bytes, at)] === 1) this.#readTables(bytes, at)
    if (!this.#isByDts && hasPcr(bytes, at)) {
      this.#note({ pid: readPid(bytes, at), ticks27M: readPcr27M(bytes, at), position: this.#restAt + at })
    }
    if (!isUnitStart(bytes, at)) return
    const dts = readDts(bytes, payloadOffset(bytes, at), at + PACKET_SIZE)
    if (dts < 0) return
    const value = { pid: readPid(bytes, at) + DTS_CLOCK, ticks27M: dts * TICKS_PER_90K, position: this.#restAt + at }
    if (this.isPaced || this.#isByDts) this.#note(value)
    else this.#remember(value)
  }

  #readTables(bytes: Uint8Array, at: number): void {
    this.#table.packet(bytes, at)
    if (this.#table.changes === this.#seenChanges) return
    this.#seenChanges = this.#table.changes
    this.#findLead()
  }

  #findLead(): void {
    const before = this.#leadPid
    if (this.#isByDts) {
      const pid = leadTrackPid(this.#table)
      this.#leadPid = pid < 0 ? -1 : pid + DTS_CLOCK
    } else this.#leadPid = leadClockPid(this.#table)
    if (this.#leadPid !== before) this.#leadTicks = -1
  }

  /** Bytes in front of the first PCR would all be due at once: if it comes late, DTS is the clock. */
  #remember(value: ClockValue): void {
    const dts = this.#dts
    if (dts === undefined || dts.length >= MAX_DTS) return
    dts.push(value)
    const since = dts.find(({ pid }) => pid === value.pid)
    const ms = stepMsOf(since?.ticks27M ?? value.ticks27M, value.ticks27M)
    if (ms > MAX_SILENT_MS && ms <= MAX_STEP_MS) this.#decideClock()
  }

  /** Enough has been read to know whether the file has PCRs. */
  #decideClock(): void {
    const dts = this.#dts
    if (dts === undefined) return
    this.#dts = undefined
    if (this.isPaced) return
    this.#isByDts = true
    this.#findLead()
    this.#points.length = 0
    for (const value of dts) this.#note(value)
  }

  #note({ pid, ticks27M: pcr, position }: ClockValue): void {
    const last = this.#points.at(-1)
    if (last === undefined) {
      this.#pcrPid = pid
      this.#firstPcr = pcr
      this.#points.push({ position, ms: 0 })
      this.#paceFrom = this.#paceNext = { position, ms: 0 }
    } else {
      const isOther = pid !== this.#pcrPid
      let stepMs = isOther ? this.#otherStepMs(pid, pcr) : stepMsOf(this.#lastPcr, pcr)
      if (stepMs < 0) return
      this.#pcrPid = pid
      if (stepMs > MAX_STEP_MS) stepMs = this.#bytesPerMs === 0 ? 0 : (position - last.position) / this.#bytesPerMs
      // The other clock counts from another time: the span goes on.
      if (isOther) this.#firstPcr = (this.#firstPcr ?? 0) + pcr - this.#lastPcr - stepMs * TICKS_PER_MS
      if (stepMs > 0) {
        this.#others.clear()
        const point = { position, ms: last.ms + stepMs }
        this.#points.push(point)
        this.#measurePace(point)
      }
    }
    this.#lastPcr = pcr
  }

  /** How much time, by another clock, has passed when it takes over; -1 if it does not. The lead does as soon as it advances. */
  #otherStepMs(pid: number, ticks27M: number): number {
    if (pid !== this.#leadPid) return this.#silentFor(pid, ticks27M)
    const before = this.#leadTicks
    this.#leadTicks = ticks27M
    if (before < 0 || before === ticks27M) return -1
    this.#leadTicks = -1
    return 0
  }

  /** How long, by another clock, the one in use has been silent; -1 if that is not long enough for the other to take over. */
  #silentFor(pid: number, ticks27M: number): number {
    const since = this.#others.get(pid)
    if (since === undefined && this.#others.size < MAX_OTHERS) this.#others.set(pid, ticks27M)
    const ms = since === undefined ? 0 : stepMsOf(since, ticks27M)
    if (ms > MAX_STEP_MS) this.#others.set(pid, ticks27M)
    return this.isPaced && ms > MAX_SILENT_MS && ms <= MAX_STEP_MS ? ms : -1
  }

  #measurePace(point: Point): void {
    const from = this.#paceFrom
    this.#bytesPerMs = (point.position - from.position) / (point.ms - from.ms)
    if (point.ms - this.#paceNext.ms < PACE_MS) return
    this.#paceFrom = this.#paceNext
    this.#paceNext = point
  }
}

/** More than half a day if the clock goes back. */
function stepMsOf(from27M: number, to27M: number): number {
  return ((to27M - from27M + PCR_WRAP) % PCR_WRAP) / TICKS_PER_MS
}

function joined(rest: Uint8Array, block: Uint8Array): Uint8Array {
  if (rest.length === 0) return block
  const bytes = new Uint8Array(rest.length + block.length)
  bytes.set(rest)
  bytes.set(block, rest.length)
  return bytes
}
