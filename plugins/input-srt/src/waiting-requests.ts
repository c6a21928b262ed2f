// Requests for streams that no output has yet: each is asked again whenever an output comes, and rejected when its time
// is over. A caller of libsrt repeats its conclusion until it is answered, 3 s by default.
import type { Clock } from '@millrace/engine/plugin'
import { REJECT } from '@millrace/srt'
import type { SrtDecision } from '@millrace/srt/node'

/** Further requests are rejected at once: a socket decides on 256 callers at a time, and some of them publish. */
const MOST_WAITING = 128

interface Waiting {
  ask(): SrtDecision | Promise<SrtDecision> | undefined
  answer(decision: SrtDecision | Promise<SrtDecision>): void
  readonly timer: Disposable
}

export class WaitingRequests {
  readonly #clock: Pick<Clock, 'after'>
  /** In the order of arrival. */
  readonly #waiting = new Set<Waiting>()

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  get size(): number {
    return this.#waiting.size
  }

  /** `ask` returns undefined as long as no output has the stream. */
  wait(ask: Waiting['ask'], waitMs: number): SrtDecision | Promise<SrtDecision> {
    if (waitMs === 0 || this.#waiting.size >= MOST_WAITING) return { reject: REJECT.notFound }
    return new Promise((resolve) => {
      const expire = (): void => this.#answer(waiting, { reject: REJECT.notFound })
      const waiting: Waiting = { ask, answer: resolve, timer: this.#clock.after(waitMs, expire) }
      this.#waiting.add(waiting)
    })
  }

  /** An output has come. */
  askAgain(): void {
    for (const waiting of this.#waiting) {
      const decision = waiting.ask()
      if (decision !== undefined) this.#answer(waiting, decision)
    }
  }

  /** The listener closes. */
  rejectAll(): void {
    for (const waiting of this.#waiting) this.#answer(waiting, { reject: REJECT.down })
  }

  #answer(waiting: Waiting, decision: SrtDecision | Promise<SrtDecision>): void {
    this.#waiting.delete(waiting)
    waiting.timer[Symbol.dispose]()
    waiting.answer(decision)
  }
}
