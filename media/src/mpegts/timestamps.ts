// Arithmetic on timestamps as on the wire: integers of 33 bits at 90 kHz (ISO/IEC 13818-1 2.4.3.5 and 2.4.3.7), which
// wrap after 26.5 hours. The only place that knows about the wrap.

/** Ticks after which PTS, DTS and the base of the PCR restart at 0. */
export const WRAP_90K = 2 ** 33
/** Ticks per millisecond of the 90 kHz clock. */
const TICKS_PER_MS = 90

/** Ticks as written on the wire: always in [0, 2^33). */
export function mod33(ticks: number): number {
  return ticks - Math.floor(ticks / WRAP_90K) * WRAP_90K
}

/** `a - b` by the shortest way around the clock: in (-2^32, 2^32]. */
export function difference33(a: number, b: number): number {
  const forward = mod33(a - b)
  return forward > WRAP_90K / 2 ? forward - WRAP_90K : forward
}

/**
 * Converts the timestamps of one clock into numbers that keep increasing across the wrap. Steps back (PTS of B
 * pictures) stay steps back; consecutive values must be less than 13 hours apart.
 */
export class Unwrapper {
  #last = -1
  #started = false

  /** The first value is returned unchanged. Values just before it may become negative if it was close to 0. */
  unwrap(value: number): number {
    this.#last = this.#started ? this.#last + difference33(value, this.#last) : value
    this.#started = true
    return this.#last
  }

  /** The next value counts as the first. */
  reset(): void {
    this.#started = false
  }
}

export function ticksFromMs(ms: number): number {
  return Math.round(ms * TICKS_PER_MS)
}

export function msFromTicks(ticks: number): number {
  return ticks / TICKS_PER_MS
}
