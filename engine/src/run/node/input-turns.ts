// Shares the event loop between all inputs: what they process in one turn takes at most ALLOWANCE_MS together. An input
// that stays within it processes its bytes as they arrive; what exceeds it waits, and is taken in later turns, one
// slice of each waiting input after the other.

/** Time of all inputs in one turn of the event loop; a slice that has begun in either part of it is completed. */
export const ALLOWANCE_MS = 10
/** Of it, for bytes as they arrive: the rest, at least, is for those that wait. */
export const AT_ONCE_MS = 5
/** Less than this may add up over several turns: light inputs cost no wake-up of the loop. */
const TURN_FROM_MS = 0.5

/** An input of which something waits. */
export interface WaitingInput {
  /** Processes its next slice; returns whether it has more. Never throws. */
  takeSlice(): boolean
}

export interface TurnClock {
  /** Monotonic. */
  nowMs(): number
}

export class InputTurns {
  readonly #clock: TurnClock
  /** Calls back in the same turn, when everything that has arrived has been read. */
  readonly #atEndOfTurn: (run: () => void) => void
  readonly #run = (): void => this.#endTurn()
  #waiting: WaitingInput[] = []
  #spentMs = 0
  #isScheduled = false

  constructor(clock: TurnClock, atEndOfTurn: (run: () => void) => void = setImmediate) {
    this.#clock = clock
    this.#atEndOfTurn = atEndOfTurn
  }

  /** Bytes may be processed as they arrive. */
  get hasRoom(): boolean {
    return this.#spentMs < AT_ONCE_MS
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  /** An input has processed something since `startMs`. */
  spend(startMs: number): void {
    this.#spentMs += this.#clock.nowMs() - startMs
    if (this.#spentMs >= TURN_FROM_MS) this.#schedule()
  }

  /** From now on `takeSlice` of the input is called, until it returns false. Not to be called again before that. */
  wait(input: WaitingInput): void {
    this.#waiting.push(input)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#atEndOfTurn(this.#run)
  }

  /** At least one slice is taken, whatever this turn has cost so far. */
  #endTurn(): void {
    this.#isScheduled = false
    const startMs = this.#clock.nowMs()
    const leftMs = ALLOWANCE_MS - Math.min(this.#spentMs, AT_ONCE_MS)
    let at = 0
    // Inputs that have more go to the end of the same list.
    while (at < this.#waiting.length && (at === 0 || this.#clock.nowMs() - startMs < leftMs)) {
      const input = this.#waiting[at++]!
      if (input.takeSlice()) this.#waiting.push(input)
    }
    this.#waiting = at < this.#waiting.length ? this.#waiting.slice(at) : []
    this.#spentMs = 0
    if (this.#waiting.length > 0) this.#schedule()
  }
}
