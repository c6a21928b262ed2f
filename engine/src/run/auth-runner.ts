// Runs an auth provider of a plugin in a scope of its own. Whatever goes wrong in it refuses the clients that it is asked
// about, is logged once, and concerns nothing else. After an error outside of a check it is opened again.
import { BehaviorSubject } from 'rxjs'
import { allow, type ManagedProvider, refuse, type Verdict } from '../access/provider.js'
import { messageOf } from '../errors.js'
import type { ProviderSettings } from '../graph/graph.js'
import type { EngineClock } from '../observe/clock.js'
import type { EventData } from '../observe/events.js'
import type { MetricsRegistry } from '../observe/metrics-registry.js'
import type { AccessRequest } from '../plugin/auth.js'
import type { AuthContext, AuthDefinition, AuthProvider } from '../plugin/auth-definition.js'
import type { Logger } from '../plugin/contract.js'
import { guardCallback } from './node/guard-callback.js'
import { makeContext } from './node/node-context.js'
import { NodeMetrics } from './node/node-metrics.js'
import type { NodeScope, ScopedNode } from './node/node-scope.js'
import { runError } from './node/run-errors.js'
import { withTimeout } from './node/time-limit.js'
import { readVerdict } from './read-verdict.js'

/** Checks of one provider in progress. */
const MOST_CHECKS = 4096
/** Time limits. */
const OPEN_MS = 10_000
const CHECK_MS = 10_000
const CLOSE_MS = 3000
/** Pause before a provider that has failed is opened again: doubled up to the second one. */
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000
/** Minimum time between two log lines about failed checks. */
const LOG_MS = 60_000

export interface AuthServices {
  readonly clock: EngineClock
  readonly metrics: MetricsRegistry
  readonly events: { emit(event: { readonly kind: string; readonly node: string; readonly data: EventData }): unknown }
  readonly scope: NodeScope
  /** The log of a provider of this id. */
  logOf(id: string): Logger
  /** Masks secrets: a plugin's error message can quote its options. */
  mask(text: string): string
  /** Calls `open` with what the definition injects; timers of the clock run in `enter`, and end with the result. */
  openWith(
    definition: AuthDefinition,
    calls: AuthCalls,
    open: (deps: Readonly<Record<string, unknown>>) => unknown,
  ): Promise<OpenedAuth>
}

/** `enter` and `call` run code of the provider: what it throws fails the provider, or goes to the caller. */
interface AuthCalls {
  /** Of the provider, which can be renamed. */
  id(): string
  enter(run: () => void): void
  call<T>(run: () => T): T
}

export interface OpenedAuth {
  readonly provider: AuthProvider
  /** Ends its timers, and frees its paths. */
  end(): void
}

/** What one call of `open` has led to. */
interface Life extends Partial<OpenedAuth> {
  readonly abort: AbortController
  /** Resolves to the provider, or undefined if it could not be opened. Never rejects. */
  opening: Promise<AuthProvider | undefined>
  isOver: boolean
  openedAtMs: number
}

export class AuthRunner implements ManagedProvider, ScopedNode {
  readonly cost = 3
  readonly isGuessable = true
  readonly isUnproven = false
  readonly definition: AuthDefinition
  readonly #services: AuthServices
  readonly #metrics: NodeMetrics
  readonly #options$: BehaviorSubject<unknown>
  #name: string
  #log: Logger
  #life: Life | undefined
  #checks = 0
  /** Times that it could not be opened, or failed, since it last ran for as long as the longest pause. */
  #failures = 0
  #retryAtMs = -Infinity
  #isClosed = false
  #failing: { loggedAtMs: number; refused: number } | undefined

  constructor(
    definition: AuthDefinition,
    { name, options }: Pick<ProviderSettings, 'name' | 'options'>,
    services: AuthServices,
  ) {
    this.#name = name
    this.definition = definition
    this.#services = services
    this.#log = services.logOf(this.id)
    this.#options$ = new BehaviorSubject(options)
    const labels = (): Readonly<Record<string, string>> => ({
      pipeline: 'auth',
      node: this.#name,
      type: definition.type,
    })
    this.#metrics = new NodeMetrics(services.metrics, labels, true)
  }

  get id(): string {
    return `auth/${this.#name}`
  }

  get settings(): { readonly definition: AuthDefinition } {
    return this
  }

  start(): void {
    if (!this.#isClosed) this.#life ??= this.#open()
  }

  update(options: unknown): void {
    this.#retryAtMs = -Infinity
    this.#services.scope.enter(this, () => this.#options$.next(options))
  }

  rename(name: string): void {
    this.#name = name
    this.#log = this.#services.logOf(this.id)
    this.#metrics.relabel()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#end(this.#life, 'closed')
    this.#metrics.clear()
  }

  check(request: AccessRequest): Verdict | Promise<Verdict> {
    if (this.#checks >= MOST_CHECKS) return refuse('busy')
    if (this.#life === undefined) {
      if (this.#isClosed || this.#services.clock.nowMs() < this.#retryAtMs) return refuse('failed')
      this.#life = this.#open()
    }
    const { provider, opening } = this.#life
    if (provider !== undefined) return this.#ask(provider, request)
    return this.#counted(opening).then((late) => (late === undefined ? refuse('failed') : this.#ask(late, request)))
  }

  /** Its code threw in a timer, or in a callback: it is opened again for a later client. */
  fail(error: unknown): void {
    const life = this.#life
    this.#log.error({ err: error }, `failed: ${this.#messageOf(error)}; its clients are refused`)
    this.#pause()
    void this.#end(life, 'failed')
  }

  failUncaught(error: unknown): void {
    this.fail(runError('NODE_FAILED', messageOf(error), { cause: error, at: this.id }))
  }

  noteStall(ms: number): void {
    this.#log.warn({ ms: Math.round(ms) }, 'its code blocked the event loop: nothing else could run')
  }

  #open(): Life {
    const { scope } = this.#services
    const life: Life = {
      abort: new AbortController(),
      isOver: false,
      openedAtMs: 0,
      opening: Promise.resolve(undefined),
    }
    scope.members.add(this)
    life.opening = this.#tryOpen(life)
    return life
  }

  async #tryOpen(life: Life): Promise<AuthProvider | undefined> {
    const { clock, scope, openWith } = this.#services
    try {
      const calls: AuthCalls = {
        id: () => this.id,
        enter: (run) => scope.enter(this, run),
        call: (run) => scope.call(this, run),
      }
      const opening = openWith(this.definition, calls, (deps) =>
        scope.call(this, () => this.definition.open(this.#options$, this.#contextOf(life), deps)),
      )
      // Too late: it is disposed as soon as it has opened.
      void opening.then((opened) => (life.isOver ? this.#dispose(opened) : undefined), ignore)
      const late = (): Error => runError('NODE_OPEN_TIMEOUT', `did not open within ${OPEN_MS} ms`, { at: this.id })
      const opened = await withTimeout(opening, OPEN_MS, clock, late)
      if (life.isOver) return undefined
      Object.assign(life, opened, { openedAtMs: clock.nowMs() })
      return opened.provider
    } catch (error) {
      if (life.isOver) return undefined
      this.#log.error({ err: error }, `cannot open: ${this.#messageOf(error)}; its clients are refused`)
      this.#pause()
      await this.#end(life, 'failed')
      return undefined
    }
  }

  #contextOf(life: Life): AuthContext {
    const { events, scope } = this.#services
    const call = <T>(run: () => T): T => scope.call(this, run)
    const fail = (error: unknown): void => (life.isOver ? undefined : this.fail(error))
    const unused = (): void => undefined
    return makeContext({
      definition: this.definition,
      signal: life.abort.signal,
      isCurrent: () => !life.isOver,
      id: () => this.id,
      log: () => this.#log,
      metrics: this.#metrics,
      details: { set: unused },
      calls: {
        call,
        leave: (run) => scope.leave(run),
        guard: () => (run) => guardCallback(run, { call, fail }),
      },
      latency: () => undefined,
      whyNoStart: () => '',
      ...{ sent: unused, ready: unused, idle: unused, waiting: unused, degraded: unused },
      event: (kind, data = {}) => void events.emit({ kind, node: this.id, data }),
    })
  }

  #ask(provider: AuthProvider, request: AccessRequest): Verdict | Promise<Verdict> {
    const abort = new AbortController()
    try {
      const result: unknown = this.#services.scope.call(this, () => provider.check(request, abort.signal))
      if (isThenable(result)) return this.#counted(this.#settle(Promise.resolve(result), abort))
      return this.#verdictOf(result)
    } catch (error) {
      return this.#failed(error)
    }
  }

  async #settle(result: Promise<unknown>, abort: AbortController): Promise<Verdict> {
    const late = (): Error => new Error(`it did not decide within ${CHECK_MS} ms`)
    try {
      return this.#verdictOf(await withTimeout(result, CHECK_MS, this.#services.clock, late))
    } catch (error) {
      abort.abort(error)
      return this.#failed(error)
    }
  }

  async #counted<T>(result: Promise<T>): Promise<T> {
    this.#checks++
    try {
      return await result
    } finally {
      this.#checks--
    }
  }

  #verdictOf(result: unknown): Verdict {
    const verdict = readVerdict(result)
    if (verdict === undefined) return this.#failed(new TypeError('it returned something that is not a verdict'))
    if (this.#failing !== undefined) {
      this.#log.info({ refused: this.#failing.refused }, 'decides again')
      this.#failing = undefined
    }
    if (verdict.allowed) {
      const { user, credential, isForAddress, secret, giveBack } = verdict
      return {
        ...allow(user, credential, isForAddress),
        ...(secret === undefined ? {} : { secret }),
        ...(giveBack === undefined ? {} : { giveBack }),
      }
    }
    const { reason, challenge, why } = verdict
    return { ...refuse(reason, challenge), ...(why === undefined ? {} : { why }) }
  }

  /** Logged at the first failure, and then once a minute until it decides again. */
  #failed(error: unknown): Verdict {
    const nowMs = this.#services.clock.nowMs()
    const failing = (this.#failing ??= { loggedAtMs: -Infinity, refused: 0 })
    failing.refused++
    if (nowMs - failing.loggedAtMs >= LOG_MS) {
      failing.loggedAtMs = nowMs
      const { refused } = failing
      this.#log.error({ err: error, refused }, `a check failed: ${this.#messageOf(error)}; the client is refused`)
    }
    return refuse('failed')
  }

  #pause(): void {
    const ranMs = this.#life?.provider === undefined ? 0 : this.#services.clock.nowMs() - this.#life.openedAtMs
    if (ranMs >= LONGEST_PAUSE_MS) this.#failures = 0
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, LONGEST_PAUSE_MS)
    this.#retryAtMs = this.#services.clock.nowMs() + pauseMs
  }

  /** Never rejects. */
  async #end(life: Life | undefined, reason: string): Promise<void> {
    if (life === undefined || life.isOver) return
    life.isOver = true
    if (this.#life === life) this.#life = undefined
    life.abort.abort(reason)
    if (life.provider !== undefined) await this.#dispose({ provider: life.provider, end: life.end ?? ignore })
    if (this.#life === undefined) this.#services.scope.members.delete(this)
  }

  async #dispose({ provider, end }: OpenedAuth): Promise<void> {
    const { clock, scope } = this.#services
    try {
      const disposing = Promise.resolve(scope.call(this, () => provider[Symbol.asyncDispose]()))
      await withTimeout(disposing, CLOSE_MS, clock, () => new Error('was not disposed in time'))
    } catch (error) {
      this.#log.error({ err: error }, `while stopping: ${this.#messageOf(error)}`)
    } finally {
      end()
    }
  }

  #messageOf(error: unknown): string {
    return this.#services.mask(messageOf(error))
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

function ignore(): void {
  // Handled where the promise is awaited.
}
