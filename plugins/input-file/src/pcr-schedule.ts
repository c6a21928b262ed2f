// Computes when each byte of a file is due, by the program clock of its stream: bytes between two PCRs are spread
// evenly over the time between them (ISO/IEC 13818-1 2.4.2.2). No timers and no I/O: blocks in, due bytes out.
import { findSync, hasPcr, PACKET_SIZE, readPcr27M, readPid, SYNC_BYTE } from '@millrace/media/mpegts'
import type { SyncResult } from '@millrace/media/mpegts'

/** PCR ticks per millisecond. */
const TICKS_PER_MS = 27_000
/** The PCR wraps to 0 after this many ticks. */
const PCR_WRAP = 2 ** 33 * 300
/** A PCR further ahead than this (10 s), or behind, is a jump: time continues at the previous pace. */
const MAX_STEP_MS = 10_000
/**
 * After this long without a PCR, at the previous pace, bytes are due at that pace, and another PID may supply the next.
 */
const MAX_SILENT_MS = 1000

interface Point {
  /** Bytes from the start of the file. */
  readonly position: number
  /** Milliseconds from the first PCR. */
  readonly ms: number
}

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
  #firstPcr = -1
  #lastPcr = -1
  #bytesPerMs = 0
  #released = 0
  #filled = 0
  #isEnded = false

  /** Milliseconds from the first PCR to the last byte whose time is known; -1 before the first. */
  get knownMs(): number {
    const last = this.#points.at(-1)
    return last === undefined ? -1 : last.ms + this.#silentMs
  }

  /** Two PCRs have been found, so bytes have a time. */
  get isPaced(): boolean {
    return this.#bytesPerMs > 0
  }

  get waitingBytes(): number {
    return this.#filled - this.#released
  }

  /** Difference of the last and first PCR, 27 MHz, including jumps; -1 if there was none. */
  get span27M(): number {
    return this.#firstPcr < 0 ? -1 : (this.#lastPcr - this.#firstPcr + PCR_WRAP) % PCR_WRAP
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
  }

  /** No more blocks: bytes after the last PCR are due at the pace before it. */
  end(): void {
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
      if (hasPcr(bytes, at)) this.#note(bytes, at)
      at += this.#stride
      if (at === bytes.length) return at
    }
  }

  #note(bytes: Uint8Array, at: number): void {
    const pid = readPid(bytes, at)
    const pcr = readPcr27M(bytes, at)
    const position = this.#restAt + at
    const last = this.#points.at(-1)
    if (last === undefined) {
      this.#pcrPid = pid
      this.#firstPcr = pcr
      this.#points.push({ position, ms: 0 })
    } else {
      const pacedMs = this.#bytesPerMs === 0 ? 0 : (position - last.position) / this.#bytesPerMs
      const isOther = pid !== this.#pcrPid
      if (isOther && pacedMs <= MAX_SILENT_MS) return
      this.#pcrPid = pid
      let stepMs = ((pcr - this.#lastPcr + PCR_WRAP) % PCR_WRAP) / TICKS_PER_MS
      if (isOther || stepMs > MAX_STEP_MS) stepMs = pacedMs
      if (stepMs > 0) {
        this.#bytesPerMs = (position - last.position) / stepMs
        this.#points.push({ position, ms: last.ms + stepMs })
      }
    }
    this.#lastPcr = pcr
  }
}

function joined(rest: Uint8Array, block: Uint8Array): Uint8Array {
  if (rest.length === 0) return block
  const bytes = new Uint8Array(rest.length + block.length)
  bytes.set(rest)
  bytes.set(block, rest.length)
  return bytes
}
