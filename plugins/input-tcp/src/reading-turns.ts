// Shares the event loop between the connections of one input and everything else. Connections are read until they have
// taken a few milliseconds of a turn; from then on each pauses after one more read, and goes on in order, a few in a turn.
// A socket is read up to 32 times in a row otherwise, so that a hundred fast senders would block everybody for seconds.

/** Of one turn of the event loop. */
const MOST_MS = 5
/** For what the time does not include: the system's reads, and TLS. */
const MOST_BYTES = 4 * 1024 * 1024
/** Connections that go on in a turn. */
const MOST_RESUMED = 16

export interface TurnTaker {
  /** It reads nothing until `resume`. */
  pause(): void
  resume(): void
}

export class ReadingTurns {
  readonly #nowMs: () => number
  readonly #resting = new Set<TurnTaker>()
  #spentMs = 0
  #bytes = 0
  #isTurnSet = false

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  isResting(taker: TurnTaker): boolean {
    return this.#resting.has(taker)
  }

  /** The connection has been read: `work` is what its bytes cost. */
  spend(taker: TurnTaker, bytes: number, work: () => void): void {
    const startMs = this.#nowMs()
    try {
      work()
    } finally {
      this.#spentMs += this.#nowMs() - startMs
      this.#bytes += bytes
      if (this.#spentMs >= MOST_MS || this.#bytes >= MOST_BYTES) {
        this.#resting.add(taker)
        taker.pause()
      }
      this.#setTurn()
    }
  }

  /** It is not read any more. */
  leave(taker: TurnTaker): void {
    this.#resting.delete(taker)
  }

  #setTurn(): void {
    if (this.#isTurnSet) return
    this.#isTurnSet = true
    setImmediate(() => this.#nextTurn())
  }

  #nextTurn(): void {
    this.#isTurnSet = false
    this.#spentMs = this.#bytes = 0
    let left = MOST_RESUMED
    for (const taker of this.#resting) {
      if (left-- === 0) return this.#setTurn()
      this.#resting.delete(taker)
      taker.resume()
    }
  }
}
