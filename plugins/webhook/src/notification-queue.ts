// Sends notifications one at a time, in order. Each is retried with growing pauses, then given up. The queue is
// bounded: when it is full, a new notification replaces the oldest.
import type { Clock, Logger } from '@millrace/engine/plugin'
import type { Notification } from './notification.js'

const FIRST_PAUSE_MS = 1000
const MAX_PAUSE_MS = 30_000
/** Minimum time between two log lines about failures. */
const LOG_MS = 60_000
/** 4xx statuses that allow a retry, RFC 9110 section 15.5.9 and RFC 6585 section 4. */
const RETRYABLE: readonly number[] = [408, 425, 429]

export interface NotificationQueueOptions {
  readonly clock: Clock
  readonly log: Pick<Logger, 'warn'>
  /** The current limits. */
  limits(): {
    readonly timeoutMs: number
    /** Attempts after the first one. */
    readonly retries: number
    /** Maximum number of waiting notifications. */
    readonly maxWaiting: number
  }
  /** Resolves with the status of the response. */
  post(notification: Notification, signal: AbortSignal): Promise<number>
}

export class NotificationQueue {
  readonly counters = { sent: 0, failed: 0, retried: 0, dropped: 0 }
  readonly #options: NotificationQueueOptions
  readonly #waiting: Notification[] = []
  /** Aborts the request in progress. */
  #abort = new AbortController()
  #endPause: (() => void) | undefined
  #sending: Promise<void> | undefined
  #isEnding = false
  #isOver = false
  #loggedAtMs = -Infinity

  constructor(options: NotificationQueueOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Returns at once. */
  add(notification: Notification): void {
    if (this.#isEnding) return
    const { maxWaiting } = this.#options.limits()
    while (this.#waiting.length >= maxWaiting) {
      this.#waiting.shift()
      this.counters.dropped++
    }
    this.#waiting.push(notification)
    this.#sending ??= this.#sendAll()
  }

  /**
   * Accepts no more notifications, and tries each waiting one once more, without pauses. After this time the rest is
   * dropped.
   */
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
    // Deferred, because the caller of `add` is on the engine's data path.
    await Promise.resolve()
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await this.#deliver(next)
    this.#sending = undefined
  }

  async #deliver(notification: Notification): Promise<void> {
    for (let attempt = 0; !this.#isOver; attempt++) {
      const problem = await this.#try(notification)
      if (problem === undefined) {
        this.counters.sent++
        return
      }
      if (this.#isOver) return
      this.#logFailure(notification, problem.text)
      if (problem.isFinal || this.#isEnding || attempt >= this.#options.limits().retries) {
        this.counters.failed++
        return
      }
      this.counters.retried++
      await this.#pause(Math.min(FIRST_PAUSE_MS * 2 ** attempt, MAX_PAUSE_MS))
    }
  }

  async #try(notification: Notification): Promise<{ readonly text: string; readonly isFinal: boolean } | undefined> {
    const { clock, post } = this.#options
    const { timeoutMs } = this.#options.limits()
    this.#abort = new AbortController()
    let isLate = false
    const timer = clock.after(timeoutMs, () => {
      isLate = true
      this.#abort.abort()
    })
    try {
      const status = await post(notification, this.#abort.signal)
      if (status >= 200 && status < 300) return undefined
      const isFinal = status < 500 && !RETRYABLE.includes(status)
      return { text: `it responded with status ${status}`, isFinal }
    } catch (error) {
      return { text: isLate ? `it did not respond within ${timeoutMs} ms` : codeOf(error), isFinal: false }
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

  #logFailure({ event }: Notification, problem: string): void {
    const nowMs = this.#options.clock.nowMs()
    if (nowMs - this.#loggedAtMs < LOG_MS) return
    this.#loggedAtMs = nowMs
    this.#options.log.warn(
      { event, ...this.counters, waiting: this.waiting },
      `the webhook did not accept a notification: ${problem}`,
    )
  }
}

/** Leaves the address out: it may contain a secret. */
function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' ? code : 'the connection failed'
}
