// Runs checks that take a thread for a tenth of a second: a few at a time, a bounded number waiting, the rest refused.
// Clients can then exhaust neither the memory nor the threads that files and DNS lookups need.

/** Node has four such threads. */
const CONCURRENCY = 2
const MOST_WAITING = 64
/** Of one client: guesses in parallel wait until the failures of those before them have been counted. */
const MOST_WAITING_OF_ONE = 2

export class CheckQueue {
  readonly #concurrency: number
  readonly #mostWaiting: number
  readonly #waiting: (() => void)[] = []
  /** How many of them wait, by client. */
  readonly #waitingOf = new Map<string, number>()
  #running = 0

  constructor(limits: { readonly concurrency?: number; readonly mostWaiting?: number } = {}) {
    this.#concurrency = limits.concurrency ?? CONCURRENCY
    this.#mostWaiting = limits.mostWaiting ?? MOST_WAITING
  }

  /**
   * Resolves with the result of the check; checks run in the order of the calls. Resolves with `busy` at once if too
   * many are waiting, in all or of this client.
   */
  async run(client: string, check: () => Promise<boolean>): Promise<boolean | 'busy'> {
    if (this.#running >= this.#concurrency) {
      const own = this.#waitingOf.get(client) ?? 0
      if (this.#waiting.length >= this.#mostWaiting || own >= MOST_WAITING_OF_ONE) return 'busy'
      this.#waitingOf.set(client, own + 1)
      // A check that ends passes its place to the next one, so that no other can take it in between.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
      this.#leave(client)
    } else this.#running++
    try {
      return await check()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }

  #leave(client: string): void {
    const left = (this.#waitingOf.get(client) ?? 1) - 1
    if (left === 0) this.#waitingOf.delete(client)
    else this.#waitingOf.set(client, left)
  }
}
