// Requests that clients send without waiting for answers (RFC 9112 section 9.3.2): http.Server hands over all that it has
// read at once, thousands of them. In one turn of the event loop a few of each connection are answered, and of all
// connections as many as fit into a few milliseconds; nothing more is read from a connection until all of its requests
// are answered. So streams, and other clients, get their turn in between.
import type { Duplex } from 'node:stream'
import type { Clock } from '../plugin/tokens.js'

/** Of one connection, in one turn. */
export const MOST_ANSWERS_PER_TURN = 64
/** For the answers of all connections in one turn; a single answer may take longer. */
const MOST_MS_PER_TURN = 5

interface Turn {
  /** Answered in this turn. */
  count: number
  /** In the order of the requests; no more than one read has, since reading pauses. */
  waiting: (() => void)[]
  /** Of those, answered in earlier turns. */
  done: number
}

export class AnswersPerTurn {
  readonly #clock: Pick<Clock, 'nowMs'>
  /** Connections that have been answered in this turn, or have requests that wait: those first that wait longest. */
  readonly #turns = new Map<Duplex, Turn>()
  #isScheduled = false
  #untilMs = 0

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock
  }

  /** Calls `answer` now or in a later turn; not if the connection is closed by then. `answer` never throws. */
  run(connection: Duplex, answer: () => void): void {
    this.#schedule()
    const turn = this.#turns.get(connection) ?? { count: 0, waiting: [], done: 0 }
    this.#turns.set(connection, turn)
    if (turn.waiting.length === 0 && turn.count < MOST_ANSWERS_PER_TURN && !this.#isOver) {
      turn.count++
      return answer()
    }
    if (turn.waiting.length === 0) connection.pause()
    turn.waiting.push(answer)
  }

  get #isOver(): boolean {
    return this.#clock.nowMs() >= this.#untilMs
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#untilMs = this.#clock.nowMs() + MOST_MS_PER_TURN
    setImmediate(this.#next)
  }

  /** Between two calls is one turn. */
  readonly #next = (): void => {
    this.#untilMs = this.#clock.nowMs() + MOST_MS_PER_TURN
    for (const [connection, turn] of [...this.#turns]) {
      turn.count = 0
      if (connection.destroyed || turn.waiting.length === 0) this.#turns.delete(connection)
      else if (!this.#isOver) this.#answerSome(connection, turn)
    }
    this.#isScheduled = this.#turns.size > 0
    if (this.#isScheduled) setImmediate(this.#next)
  }

  #answerSome(connection: Duplex, turn: Turn): void {
    // Behind those that have waited longer.
    this.#turns.delete(connection)
    this.#turns.set(connection, turn)
    while (turn.count < MOST_ANSWERS_PER_TURN && !this.#isOver) {
      const answer = turn.waiting[turn.done]
      if (answer === undefined || connection.destroyed) break
      turn.done++
      turn.count++
      answer()
    }
    if (turn.done < turn.waiting.length) return
    turn.waiting = []
    turn.done = 0
    connection.resume()
  }
}
