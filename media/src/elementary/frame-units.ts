// The list of units of the frame that is being read: one growing array, used again.

const FIRST_CAPACITY = 64
/** Units of one frame; real pictures have some hundred slices at most. */
const MAX_UNITS = 8192

export class FrameUnits {
  /** Pairs of start and end. */
  pairs = new Int32Array(2 * FIRST_CAPACITY)
  count = 0

  clear(): void {
    this.count = 0
  }

  /** False if there are too many. */
  add(start: number, end: number): boolean {
    if (this.count === MAX_UNITS) return false
    const at = this.count * 2
    if (at === this.pairs.length) {
      const grown = new Int32Array(at * 2)
      grown.set(this.pairs)
      this.pairs = grown
    }
    this.pairs[at] = start
    this.pairs[at + 1] = end
    this.count++
    return true
  }
}
