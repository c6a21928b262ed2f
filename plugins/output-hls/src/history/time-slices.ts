// Long work in slices of some milliseconds, so that the rest of the engine has its turns in between. What shares one of
// these takes one slice of each turn of the event loop together.

const LEAST_MS = 3
const MOST_MS = 10
/** Of the time that other work takes in a turn. */
const SHARE = 0.2

export class TimeSlices {
  readonly #nowMs: () => number
  readonly #afterOthers: (run: () => void) => void
  #untilMs = -Infinity
  #next: Promise<void> | undefined

  /** `afterOthers`: calls it when other work has had its turn. */
  constructor(nowMs: () => number, afterOthers: (run: () => void) => void = (run) => void setImmediate(run)) {
    this.#nowMs = nowMs
    this.#afterOthers = afterOthers
  }

  /** Time to wait for `next`. */
  get isOver(): boolean {
    return this.#nowMs() >= this.#untilMs
  }

  /** Resolves when the next slice begins. */
  next(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      const endedMs = this.#nowMs()
      this.#afterOthers(() => {
        const nowMs = this.#nowMs()
        this.#untilMs = nowMs + Math.min(MOST_MS, Math.max(LEAST_MS, (nowMs - endedMs) * SHARE))
        this.#next = undefined
        resolve()
      })
    })
    return this.#next
  }
}
