// Decides by the answers of the hook: equal questions are asked once, and answers are kept for a while.
import type {
  AccessRequest,
  AuthProvider,
  AuthVerdict,
  Clock,
  Logger,
  MetricHistogram,
  Options,
  PostAnswer,
} from '@millrace/engine/plugin'
import type { Answer } from './answer.js'
import { AnswerCache } from './answer-cache.js'
import { HookRequests, type Outcome } from './hook-requests.js'
import type { WebhookOptions } from './options.js'
import { makeQuestion, type Question } from './question.js'

/** Minimum time between two log lines about failures. */
const LOG_MS = 60_000
const LONGEST_QUESTION = 32 * 1024

export interface WebhookProviderOptions {
  readonly clock: Clock
  readonly options$: Options<WebhookOptions>
  readonly log: Pick<Logger, 'warn' | 'info'>
  post(question: string, signal: AbortSignal): Promise<PostAnswer>
  readonly duration: MetricHistogram
  onClose(): void
}

export class WebhookProvider implements AuthProvider {
  readonly counters = { cached: 0, denied: 0, undecided: 0 }
  readonly requests: HookRequests
  readonly #given: WebhookProviderOptions
  readonly #cache = new AnswerCache()
  /** By the key of the question. As many as requests at most. */
  readonly #asking = new Map<string, Promise<AuthVerdict>>()
  readonly #subscription: { unsubscribe(): void }
  /** Of the options; part of the key of a question. */
  #revision = 0
  #loggedAtMs = -Infinity
  /** A failure has been logged since the last answer. */
  #isToldFailing = false

  constructor(given: WebhookProviderOptions) {
    this.#given = given
    const { clock, options$, post } = given
    this.requests = new HookRequests({
      clock,
      limits: () => {
        const { timeout: timeoutMs, inFlight, queue } = options$.value
        return { timeoutMs, inFlight, queue }
      },
      post: (question, signal) => post(question, signal),
      onAnswer: (problem, tookMs) => this.#note(problem, tookMs),
    })
    // Another URL, or another selection of secrets, may mean other answers: also those that are on the way.
    this.#subscription = options$.subscribe(() => {
      this.#revision++
      this.#cache.clear()
    })
  }

  check(request: AccessRequest): AuthVerdict | Promise<AuthVerdict> {
    const { clock, options$ } = this.#given
    const question = makeQuestion(request, options$.value)
    if (question.text.length > LONGEST_QUESTION)
      return { allowed: false, reason: 'denied', why: 'the request is too long' }
    const key = this.#cache.keyOf(`${this.#revision} ${question.text}`)
    const known = this.#cache.get(key, clock.nowMs()) ?? this.#asking.get(key)
    if (known !== undefined) {
      this.counters.cached++
      return known instanceof Promise ? known : this.#counted(known)
    }
    const asked = this.requests.ask(question.text)
    if (!(asked instanceof Promise)) return this.#verdictOf(asked, question, request)
    const verdict = asked.then((outcome) => {
      this.#asking.delete(key)
      const decided = this.#verdictOf(outcome, question, request)
      if (typeof outcome !== 'string') this.#keep(key, decided, outcome)
      return decided
    })
    this.#asking.set(key, verdict)
    return verdict
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription.unsubscribe()
    this.requests.close()
    await Promise.all(this.#asking.values())
    this.#given.onClose()
  }

  #keep(key: string, verdict: AuthVerdict, { ttlMs }: Answer): void {
    const { cache, cacheDenied } = this.#given.options$.value
    const forMs = ttlMs ?? (verdict.allowed ? cache : cacheDenied)
    if (forMs > 0) this.#cache.set(key, verdict, this.#given.clock.nowMs() + forMs)
  }

  #verdictOf(outcome: Outcome, { credential }: Question, { user }: AccessRequest): AuthVerdict {
    const { onFailure, send, realm } = this.#given.options$.value
    if (outcome === 'busy') return { allowed: false, reason: 'busy' }
    if (outcome === 'failed') {
      this.counters.undecided++
      return onFailure === 'allow' ? { allowed: true } : { allowed: false, reason: 'failed' }
    }
    const { verdict, reason: why } = outcome
    // A name is known only if the hook has seen the password.
    if (verdict === 'allow') {
      const shown = outcome.user ?? (send.includes('password') ? user : undefined)
      const digest = credential === undefined ? {} : { credential: this.#cache.keyOf(credential) }
      const { secret } = outcome
      return { allowed: true, user: shown, ...digest, ...(secret === undefined ? {} : { secret }) }
    }
    if (verdict === 'deny') return this.#counted({ allowed: false, reason: 'denied', why })
    const scheme = send.includes('password') ? 'Basic' : 'Bearer'
    const charset = scheme === 'Basic' ? ', charset="UTF-8"' : ''
    const reason = credential !== undefined ? 'bad-credentials' : 'no-credentials'
    return this.#counted({ allowed: false, reason, why, challenge: `${scheme} realm="${realm}"${charset}` })
  }

  #counted(verdict: AuthVerdict): AuthVerdict {
    if (!verdict.allowed) this.counters.denied++
    return verdict
  }

  #note(problem: string | undefined, tookMs: number): void {
    const { clock, log, duration, options$ } = this.#given
    duration.observe(tookMs / 1000)
    if (problem === undefined) {
      if (this.#isToldFailing) log.info({ ...this.requests.counters }, 'the auth webhook answers again')
      this.#isToldFailing = false
      return
    }
    const nowMs = clock.nowMs()
    if (this.#isToldFailing || nowMs - this.#loggedAtMs < LOG_MS) return
    this.#loggedAtMs = nowMs
    this.#isToldFailing = true
    const what = options$.value.onFailure === 'allow' ? 'admitted' : 'refused'
    log.warn({ ...this.requests.counters }, `the auth webhook does not decide, clients are ${what}: ${problem}`)
  }
}
