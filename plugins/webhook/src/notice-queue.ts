// Sends notices one after the other, in their order: each is tried again with growing pauses, then given up. Those that
// wait are bounded; a new one takes the place of the oldest.
import type { Clock, Logger } from '@millrace/engine/plugin'
import type { Notice } from './notice.js'

const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000
/** Between two lines of the log about failures. */
const LOG_MS = 60_000
/** Statuses in 4xx that say "later", RFC 9110 section 15.5.9 and RFC 6585 section 4. */
const LATER: readonly number[] = [408, 425, 429]

export interface NoticeQueueOptions {
  readonly clock: Clock
  readonly log: Pick<Logger, 'warn'>
  /** As they are now. */
  limits(): {
    readonly timeoutMs: number
    /** Tries after the first one. */
    readonly retries: number
    /** Notices that may wait. */
    readonly mostWaiting: number
  }
  /** Resolves with the status of the answer. */
  post(notice: Notice, signal: AbortSignal): Promise<number>
}

export class NoticeQueue {
  readonly counters = { sent: 0, failed: 0, retried: 0, dropped: 0 }
  readonly #options: NoticeQueueOptions
  readonly #waiting: Notice[] = []
  /** Ends what is under way. */
  #abort = new AbortController()
  #endPause: (() => void) | undefined
  #sending: Promise<void> | undefined
  #isEnding = false
  #isOver = false
  #loggedAtMs = -Infinity

  constructor(options: NoticeQueueOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Returns at once. */
  add(notice: Notice): void {
    if (this.#isEnding) return
    const { mostWaiting } = this.#options.limits()
    while (this.#waiting.length >= mostWaiting) {
      this.#waiting.shift()
      this.counters.dropped++
    }
    this.#waiting.push(notice)
    this.#sending ??= this.#sendAll()
  }

  /** Takes nothing more, and tries what waits once more, without pauses. What is left after this time is given up. */
  async end(withinMs: number): Promise<void> {
    this.#isEnding = true
    this.#endPause?.()
    const timer = this.#options.clock.after(withinMs, () => {
      this.#isOver = true
      this.counters.dropped += this.#waiting.length
      this.#waiting.length = 0
      this.#abort.abort()
    })
    await this.#sending
    timer[Symbol.dispose]()
  }

  /** Never rejects. */
  async #sendAll(): Promise<void> {
    // Not inside the call that brought the notice: that is the engine's data path.
    await Promise.resolve()
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await this.#deliver(next)
    this.#sending = undefined
  }

  async #deliver(notice: Notice): Promise<void> {
    for (let attempt = 0; !this.#isOver; attempt++) {
      const problem = await this.#try(notice)
      if (problem === undefined) {
        this.counters.sent++
        return
      }
      if (this.#isOver) return
      this.#say(notice, problem.text)
      if (problem.isFinal || this.#isEnding || attempt >= this.#options.limits().retries) {
        this.counters.failed++
        return
      }
      this.counters.retried++
      await this.#pause(Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS))
    }
  }

  async #try(notice: Notice): Promise<{ readonly text: string; readonly isFinal: boolean } | undefined> {
    const { clock, post } = this.#options
    const { timeoutMs } = this.#options.limits()
    this.#abort = new AbortController()
    let isLate = false
    const timer = clock.after(timeoutMs, () => {
      isLate = true
      this.#abort.abort()
    })
    try {
      const status = await post(notice, this.#abort.signal)
      if (status >= 200 && status < 300) return undefined
      const isFinal = status < 500 && !LATER.includes(status)
      return { text: `it answered with status ${status}`, isFinal }
    } catch (error) {
      return { text: isLate ? `it did not answer within ${timeoutMs} ms` : codeOf(error), isFinal: false }
    } finally {
      timer[Symbol.dispose]()
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, resolve)
      this.#endPause = () => {
        timer[Symbol.dispose]()
        resolve()
      }
    })
  }

  #say({ event }: Notice, problem: string): void {
    const nowMs = this.#options.clock.nowMs()
    if (nowMs - this.#loggedAtMs < LOG_MS) return
    this.#loggedAtMs = nowMs
    this.#options.log.warn(
      { event, ...this.counters, waiting: this.waiting },
      `the hook does not take notices: ${problem}`,
    )
  }
}

/** Without the address, which may hold a secret. */
function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' ? code : 'the connection failed'
}
