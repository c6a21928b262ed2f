// The clock of an RTMP stream: milliseconds of 32 bits that start anywhere and wrap, one clock for all tracks. Unwrapped
// here, once.

/** A larger step, forwards or backwards, is a clock that was set: a new generation. */
const JUMP_MS = 10_000

/** The stamps of one track. */
export class TrackClock {
  lastMs = Number.NaN
}

export class FlvClock {
  /** The newest frame of any track, unwrapped. */
  #lastMs = Number.NaN
  /** The value that `unwrap` returned last follows a jump. */
  isJump = false

  /** The first value is returned unchanged. */
  unwrap(timestampMs: number, track: TrackClock): number {
    const last = this.#lastMs
    // The subtraction modulo 2^32 is the shortest way around the clock.
    const unwrapped = Number.isNaN(last) ? timestampMs >>> 0 : last + ((timestampMs - last) | 0)
    // A track that pauses, or one that is far behind another one, has not jumped.
    this.isJump = isFar(unwrapped, last) && (Number.isNaN(track.lastMs) || isFar(unwrapped, track.lastMs))
    this.#lastMs = unwrapped
    track.lastMs = unwrapped
    return unwrapped
  }
}

function isFar(ms: number, last: number): boolean {
  return Math.abs(ms - last) > JUMP_MS
}
