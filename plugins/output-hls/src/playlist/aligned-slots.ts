// `slicing: aligned`: time is divided into slots as long as a segment, numbered from 1970 on, and the segment that begins
// in a slot has its number. Origins that get the same stream cut alike, because dates are the times of the stream plus an
// offset that depends little on when its packets arrive: the offset is rounded, stays as long as the source's clock
// does, and is saved for the next process.
import { difference33 } from '@millrace/media/mpegts'

/** Saved with the numbers. */
export interface SavedSlots {
  /** A time of the stream, and its date: 90 kHz ticks since 1970. */
  readonly pts90k: number
  readonly date90k: number
  /** Ticks by which dates are ahead of the wall clock at which packets arrive. */
  readonly deviation90k: number
}

const TICKS_PER_MS = 90
const CLOCK_PERIOD = 2 ** 33
/** The first offset is rounded to this: origins that start at different moments see different delays. 20 s. */
const FIRST_STEP = 1_800_000
/** A stream whose dates are off by less than this still has the clock that it had; it may have stalled. 30 s. */
const SAME_CLOCK = 2_700_000

export class AlignedSlots {
  /** Ticks. */
  readonly length: number
  #pts90k = 0
  #date90k = 0
  #deviation90k = 0
  #isPlaced = false
  #next = 0
  readonly #unused: number

  /** `saved`, `unused`: what the process before has left; it used no slot from `unused` on. */
  constructor(segmentMs: number, saved?: SavedSlots, unused = 0) {
    this.length = segmentMs * TICKS_PER_MS
    this.#unused = unused
    if (saved !== undefined) this.#set(saved)
  }

  /** The first slot that has never been used; 0 before the first. */
  get next(): number {
    return this.#next
  }

  get saved(): SavedSlots | undefined {
    if (!this.#isPlaced) return undefined
    return { pts90k: this.#pts90k, date90k: this.#date90k, deviation90k: this.#deviation90k }
  }

  /** The slot is in use. */
  use(slot: number): void {
    this.#next = slot + 1
  }

  /** A segment begins here: dates are counted from it, so that the 33-bit clock may wrap. */
  count(pts90k: number, wallMs: number): void {
    const date90k = this.dateOf(pts90k)
    this.#set({ pts90k, date90k, deviation90k: Math.round(date90k - wallMs * TICKS_PER_MS) })
  }

  /** Call it where a stream begins or goes on. True: its clock is another one than before. */
  place(pts90k: number, wallMs: number): boolean {
    const isOther = this.#isPlaced && !this.#continuesAt(pts90k, wallMs)
    if (this.#isPlaced && !isOther) {
      this.#set({ pts90k, date90k: this.#dateNear(pts90k, wallMs), deviation90k: this.#deviation90k })
      return false
    }
    const step = this.#isPlaced ? this.length : Math.ceil(FIRST_STEP / this.length) * this.length
    const offset = Math.round((this.#expected(wallMs) - pts90k) / step) * step
    const late = Math.max(0, this.#next, this.#unused) - Math.floor((pts90k + offset) / this.length)
    const date90k = pts90k + offset + Math.max(0, late) * this.length
    this.#set({ pts90k, date90k, deviation90k: Math.round(date90k - wallMs * TICKS_PER_MS) })
    return isOther
  }

  /**
   * The slot in which a segment would begin with this picture. In a slot that has been used already, it begins the next
   * one, if that is not longer than `limit` then. Undefined: it comes too late, or too early.
   */
  startAt(pts90k: number, limit: number): number | undefined {
    const slot = this.slotOf(pts90k)
    if (slot >= this.#next) return slot
    return slot === this.#next - 1 && this.untilEnd(slot + 1, pts90k) <= limit ? slot + 1 : undefined
  }

  /** Ticks. */
  untilEnd(slot: number, pts90k: number): number {
    return (slot + 1) * this.length - this.dateOf(pts90k)
  }

  /** How long a gap from that date on is that fills the next slot; at most `limit`. */
  gapAt(date90k: number, limit: number): number {
    return Math.max(1, Math.min((this.#next + 1) * this.length - date90k, limit))
  }

  /** The slot in which it is shown. */
  slotOf(pts90k: number): number {
    return Math.floor(this.dateOf(pts90k) / this.length)
  }

  /** 90 kHz ticks since 1970. */
  dateOf(pts90k: number): number {
    return this.#date90k + difference33(pts90k, this.#pts90k)
  }

  /** It is not before the newest segment either: an encoder that restarts again and again begins at the same time. */
  #continuesAt(pts90k: number, wallMs: number): boolean {
    const date90k = this.#dateNear(pts90k, wallMs)
    return date90k >= this.#date90k && Math.abs(date90k - this.#expected(wallMs)) <= SAME_CLOCK
  }

  #expected(wallMs: number): number {
    return wallMs * TICKS_PER_MS + this.#deviation90k
  }

  /** After a long time, the 33-bit clock may have come round. */
  #dateNear(pts90k: number, wallMs: number): number {
    const date90k = this.dateOf(pts90k)
    return date90k + Math.round((this.#expected(wallMs) - date90k) / CLOCK_PERIOD) * CLOCK_PERIOD
  }

  #set({ pts90k, date90k, deviation90k }: SavedSlots): void {
    this.#pts90k = pts90k
    this.#date90k = date90k
    this.#deviation90k = deviation90k
    this.#isPlaced = true
  }
}
