// When the memory is full of segments that the disk has not taken, some that are listed are lost. A playlist may lose its
// beginning, but no segment of it may become a gap (RFC 8216, 6.2.1): the gap stands in playlists under other URIs, and
// those under the URIs before go on with what is behind it, half an hour at most.
import { type ListChange, LongList, type LongLife } from './long-list.js'

/** Of the playlists under the URIs before. */
export const BEFORE_LOSS_MS = 30 * 60_000
const TICKS_PER_MS = 90

export class Losses {
  /** What appends each segment that waits for the disk, in order. */
  readonly #waiting = new Map<number, ListChange>()
  #before: LongList | undefined
  #floor = 0

  /** Number of the segment behind the last that is lost, which URIs name; 0 while none is. */
  get floor(): number {
    return this.#floor
  }

  /** The list of the playlists whose URIs name this floor, if they are not those of everything. */
  listBefore(floor: number): LongList | undefined {
    return floor < this.#floor ? this.#before : undefined
  }

  /** A segment is added, and waits for the disk. */
  add(sequence: number, life: LongLife, append: ListChange): void {
    this.#waiting.set(sequence, append)
    if (this.#before === undefined) return
    append(this.#before)
    trimBefore(this.#before, life, sequence)
  }

  /** Of the last process: the same URIs have the same playlists. */
  restore(floor: number, before: LongList | undefined): void {
    if (floor <= this.#floor) return
    this.#floor = floor
    this.#before = before
  }

  noteStored(sequence: number): void {
    this.#waiting.delete(sequence)
  }

  lose(sequence: number): void {
    this.#waiting.delete(sequence)
    this.#floor = Math.max(this.#floor, sequence + 1)
    if (this.#before !== undefined) return this.#before.removeThrough(sequence)
    this.#before = new LongList()
    for (const [number, append] of this.#waiting) if (number > sequence) append(this.#before)
  }

  /** `first`: of the whole list; undefined if that is empty. */
  forgetBefore(first: number | undefined): void {
    for (const number of this.#waiting.keys()) {
      if (number >= (first ?? Infinity)) break
      this.#waiting.delete(number)
    }
    if (first === undefined) this.#before = undefined
  }
}

/** `newest`: number of its last segment; who asks for files asks another list. */
export function trimBefore(before: LongList, life: LongLife, newest: number): void {
  before.trim(BEFORE_LOSS_MS * TICKS_PER_MS, life)
  before.forgetThrough(newest)
}
