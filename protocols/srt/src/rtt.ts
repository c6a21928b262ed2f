// The round trip time and its variance (draft-sharabayko-srt-01, section 4.10), in microseconds.

const INITIAL_US = 100_000
const INITIAL_VARIANCE_US = 50_000
/** Longer samples are not believed. */
const MAX_US = 60_000_000

export class RoundTrip {
  us = INITIAL_US
  varianceUs = INITIAL_VARIANCE_US
  isMeasured = false

  /** Adds a sample; the first is taken as a whole. */
  add(us: number): void {
    if (!(us > 0 && us <= MAX_US)) return
    if (!this.isMeasured) {
      this.us = us
      this.varianceUs = us / 2
      this.isMeasured = true
      return
    }
    this.varianceUs = (this.varianceUs * 3 + Math.abs(this.us - us)) / 4
    this.us = (this.us * 7 + us) / 8
  }

  /** Takes over what the peer measured, as long as there are no samples of our own. */
  adopt(us: number, varianceUs: number): void {
    if (this.isMeasured || !(us > 0 && us <= MAX_US)) return
    this.us = us
    this.varianceUs = Math.min(varianceUs, MAX_US)
  }

  /** After that long an answer is overdue. */
  get timeoutUs(): number {
    return this.us + 4 * this.varianceUs
  }
}
