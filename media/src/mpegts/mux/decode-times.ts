// Decoding times of a video track that a decoder can keep: each after the one before it, none after its presentation time.

/** More reordering belongs to no stream in use. */
const MAX_SHIFT_90K = 180_000

export class DecodeTimes {
  pts90k = 0
  dts90k = 0
  #last90k = -Infinity
  /** All decoding times are earlier by this, since some presentation time was before its decoding time. */
  #shift90k = 0

  reset(): void {
    this.#last90k = -Infinity
    this.#shift90k = 0
  }

  /** Sets `pts90k` and `dts90k`. A presentation time changes only where no decoding time is left before it. */
  next(pts90k: number, dts90k: number): void {
    if (pts90k < dts90k - this.#shift90k) this.#shift90k = Math.min(MAX_SHIFT_90K, dts90k - pts90k)
    this.dts90k = Math.max(dts90k - this.#shift90k, this.#last90k + 1)
    this.pts90k = Math.max(pts90k, this.dts90k)
    this.#last90k = this.dts90k
  }
}
