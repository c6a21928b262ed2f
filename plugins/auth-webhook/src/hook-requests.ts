// Requests to the hook: a few at a time, a bounded number waiting in order, the rest refused. The time limit of a request
// includes its waiting.
import type { Clock, PostAnswer } from '@millrace/engine/plugin'
import { type Answer, readAnswer } from './answer.js'
import { CircuitBreaker } from './circuit-breaker.js'

interface RequestLimits {
  readonly timeoutMs: number
  readonly inFlight: number
  readonly queue: number
}

export interface HookRequestsOptions {
  readonly clock: Clock
  /** The current limits. */
  limits(): RequestLimits
  /** Rejects if there is no answer. */
  post(question: string, signal: AbortSignal): Promise<PostAnswer>
  /** Called for each request that was sent: `problem` is undefined if the hook has decided. */
  onAnswer(problem: string | undefined, tookMs: number): void
}

/** `busy`: too many requests are waiting, or it has waited too long. `failed`: the hook has not decided. */
export type Outcome = Answer | 'busy' | 'failed'

interface Job {
  readonly question: string
  readonly abort: AbortController
  readonly timer: Disposable
  readonly settle: (outcome: Outcome) => void
  isSent: boolean
}

export class HookRequests {
  readonly counters = { asked: 0, failed: 0, busy: 0 }
  readonly #options: HookRequestsOptions
  readonly #breaker = new CircuitBreaker()
  readonly #waiting = new Set<Job>()
  readonly #sent = new Set<Job>()
  #isClosed = false

  constructor(options: HookRequestsOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get inFlight(): number {
    return this.#sent.size
  }

  /** Never rejects. */
  ask(question: string): Promise<Outcome> | 'busy' | 'failed' {
    if (this.#isClosed) return 'failed'
    const { clock, limits } = this.#options
    const { timeoutMs, inFlight, queue } = limits()
    const isFull = this.#sent.size >= inFlight
    if (isFull && this.#waiting.size >= queue) return this.#busy()
    // An attempt does not wait: those that are on the way were sent before the hook failed.
    if (this.#breaker.isOpen && isFull) return 'failed'
    if (!this.#breaker.mayAsk(clock.nowMs())) return 'failed'
    return new Promise((resolve) => {
      const timer = clock.after(timeoutMs, () => this.#late(job, timeoutMs))
      const settle = (outcome: Outcome): void => {
        timer[Symbol.dispose]()
        resolve(outcome)
      }
      const job: Job = { question, abort: new AbortController(), timer, settle, isSent: false }
      if (isFull) this.#waiting.add(job)
      else void this.#send(job)
    })
  }

  /** Ends all requests; further ones fail. */
  close(): void {
    this.#isClosed = true
    for (const job of this.#waiting) job.settle('failed')
    this.#waiting.clear()
    for (const { abort } of this.#sent) abort.abort(new Error('the provider ends'))
  }

  /** Never rejects. */
  async #send(job: Job): Promise<void> {
    const { clock, post, onAnswer } = this.#options
    job.isSent = true
    this.#sent.add(job)
    this.counters.asked++
    const sentAtMs = clock.nowMs()
    const answer = await post(job.question, job.abort.signal).then(
      ({ status, body, isWhole }) => readAnswer(status, body, isWhole),
      (error: unknown) => problemOf(job.abort.signal.aborted ? job.abort.signal.reason : error),
    )
    this.#sent.delete(job)
    const isFailure = typeof answer === 'string'
    if (isFailure) this.#fail()
    else this.#breaker.succeed()
    job.settle(isFailure ? 'failed' : answer)
    onAnswer(isFailure ? answer : undefined, clock.nowMs() - sentAtMs)
    this.#next()
  }

  #fail(): void {
    this.counters.failed++
    this.#breaker.fail(this.#options.clock.nowMs())
    if (!this.#breaker.isOpen) return
    for (const job of this.#waiting) job.settle('failed')
    this.#waiting.clear()
  }

  #next(): void {
    for (const job of this.#waiting) {
      if (this.#sent.size >= this.#options.limits().inFlight) return
      this.#waiting.delete(job)
      void this.#send(job)
    }
  }

  #late(job: Job, timeoutMs: number): void {
    if (job.isSent) return job.abort.abort(new Error(`it did not answer within ${timeoutMs} ms`))
    this.#waiting.delete(job)
    job.settle(this.#busy())
  }

  #busy(): 'busy' {
    this.counters.busy++
    return 'busy'
  }
}

/** Leaves the address out: it may contain a secret. */
function problemOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) return message
  return code === 'ECONNREFUSED' ? 'it refuses connections' : `the connection failed (${code})`
}
