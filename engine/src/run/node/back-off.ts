// How long the engine waits before it subscribes again: doubling per target, with jitter, so that many nodes behind one
// dead server do not reconnect at the same moment.

/** The first delay. */
export const FIRST_MS = 500
const MOST_MS = 30_000
/** A delay is shortened by up to this share. */
const JITTER = 0.3
/** A stream that was up for this long resets the failure counts of all targets. */
export const HEALTHY_MS = 5000
/** Targets remembered; the oldest is forgotten first, since a source can name any number of targets. */
const MAX_TARGETS = 64

export class BackOff {
  readonly #failures = new Map<string, number>()
  readonly #random: () => number

  /** `random`: numbers in [0, 1). */
  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** The delay before the target is tried again, after a failure with the stream up for `livedMs`. */
  nextDelayMs(target: string, livedMs: number): number {
    if (livedMs >= HEALTHY_MS) this.#failures.clear()
    const before = this.#failures.get(target) ?? 0
    this.#failures.delete(target)
    const [oldest] = this.#failures.keys()
    if (this.#failures.size >= MAX_TARGETS && oldest !== undefined) this.#failures.delete(oldest)
    this.#failures.set(target, before + 1)
    const full = Math.min(MOST_MS, FIRST_MS * 2 ** before)
    return full * (1 - JITTER * this.#random())
  }
}
