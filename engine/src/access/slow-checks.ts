// Checks that take a thread for a tenth of a second: a few at a time, a bounded number waiting, the rest refused, so that
// neither the threads that files and names need nor the memory can be taken up from outside.

/** Node has four such threads. */
const AT_A_TIME = 2
const MOST_WAITING = 64

export class SlowChecks {
  readonly #atATime: number
  readonly #mostWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limits: { readonly atATime?: number; readonly mostWaiting?: number } = {}) {
    this.#atATime = limits.atATime ?? AT_A_TIME
    this.#mostWaiting = limits.mostWaiting ?? MOST_WAITING
  }

  /** Resolves with what the check said, in the order of the calls; `busy` at once where too many wait. */
  async run(check: () => Promise<boolean>): Promise<boolean | 'busy'> {
    if (this.#running >= this.#atATime) {
      if (this.#waiting.length >= this.#mostWaiting) return 'busy'
      // Whoever ends hands its place over, so that nobody comes in between.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#running++
    try {
      return await check()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
