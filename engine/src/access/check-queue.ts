// Runs checks that take a thread for a tenth of a second: a few at a time, a bounded number waiting, the rest refused.
// Clients can then exhaust neither the memory nor the threads that files and DNS lookups need.

/** Node has four such threads. */
const CONCURRENCY = 2
const MOST_WAITING = 64

export class CheckQueue {
  readonly #concurrency: number
  readonly #mostWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limits: { readonly concurrency?: number; readonly mostWaiting?: number } = {}) {
    this.#concurrency = limits.concurrency ?? CONCURRENCY
    this.#mostWaiting = limits.mostWaiting ?? MOST_WAITING
  }

  /**
   * Resolves with the result of the check; checks run in the order of the calls. Resolves with `busy` at once if too
   * many are waiting.
   */
  async run(check: () => Promise<boolean>): Promise<boolean | 'busy'> {
    if (this.#running >= this.#concurrency) {
      if (this.#waiting.length >= this.#mostWaiting) return 'busy'
      // A check that ends passes its place to the next one, so that no other can take it in between.
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
