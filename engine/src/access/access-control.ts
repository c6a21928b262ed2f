// Decides who is admitted: asks the providers that an output names, counts refusals, and stops addresses that keep
// guessing. Names in a list are alternatives; a provider of type `all` requires all of its providers.
import { isDeepStrictEqual } from 'node:util'
import { accessError } from './access-errors.js'
import type { AccessDecision, AccessRequest, Auth, RefusedAccess } from '../plugin/auth.js'
import type { AuthSettings } from './auth-schema.js'
import type { ProviderSettings } from '../graph/graph.js'
import { BasicProvider } from './basic-provider.js'
import { BearerProvider } from './bearer-provider.js'
import { FailureLimit } from './failure-limit.js'
import { IpProvider } from './ip-provider.js'
import { allow, type Provider, refuse, type Verdict } from './provider.js'
import { SignedProvider } from './signed-provider.js'
import { CheckQueue } from './check-queue.js'
import { TokenProvider } from './token-provider.js'

/** If several providers refuse, the reported reason is the one that comes first here. */
const PRECEDENCE: readonly RefusedAccess[] = [
  'too-many-failures',
  'busy',
  'bad-credentials',
  'bad-signature',
  'expired',
  'wrong-path',
  'no-credentials',
  'address',
]
/** Refusals that count as guesses; an address has a limited number of them. */
const FAILURES: ReadonlySet<RefusedAccess> = new Set(['bad-credentials', 'bad-signature'])
const BUSY_RETRY_SECONDS = 2

type Refusal = Extract<Verdict, { readonly allowed: false }>

export interface AccessContext {
  /** Monotonic. */
  nowMs(): number
  /** Unix time by the clock of the machine; expiry dates are compared with it. By default Date.now. */
  unixMs?(): number
}

export class AccessControl implements Auth {
  /** Requests refused, by reason. */
  readonly refused = new Map<RefusedAccess, number>()
  readonly #context: AccessContext
  readonly #failures = new FailureLimit()
  readonly #checks = new CheckQueue()
  #settings: readonly AuthSettings[] = []
  #providers: ReadonlyMap<string, Provider> = new Map()

  /** `settings`: from the checked graph. */
  constructor(settings: readonly ProviderSettings[], context: AccessContext) {
    this.#context = context
    this.update(settings)
  }

  /**
   * Applies to new requests; checks in progress finish with the providers they started with. Counted failures are kept.
   * Throws AUTH_UNKNOWN; then nothing has changed.
   */
  update(checked: readonly ProviderSettings[]): void {
    // Loading the configuration parsed the options of each with the schema of its type.
    const settings = checked as readonly AuthSettings[]
    const providers = new Map<string, Provider>()
    for (const one of settings) {
      if (one.type !== 'all') providers.set(one.name, this.#providerOf(one))
    }
    for (const one of settings) {
      if (one.type !== 'all') continue
      providers.set(one.name, new AllProvider(one.options.of.map((name) => findProvider(name, providers))))
    }
    this.#providers = providers
    this.#settings = settings
  }

  check(names: readonly string[], request: AccessRequest): AccessDecision | Promise<AccessDecision> {
    const providers = names.map((name) => findProvider(name, this.#providers)).sort((a, b) => a.cost - b.cost)
    if (providers.length === 0) return { allowed: true, user: undefined }
    const verdict = checkAny(providers, (provider) => this.#checkOne(provider, request))
    if (verdict instanceof Promise) return verdict.then((late) => this.#decide(late, request))
    return this.#decide(verdict, request)
  }

  /** An unchanged provider is kept, with the passwords that it remembers. */
  #providerOf(one: Exclude<AuthSettings, { readonly type: 'all' }>): Provider {
    const { name, type, options } = one
    const before = this.#settings.find((each) => each.name === name)
    const isSame = before?.type === type && isDeepStrictEqual(before.options, options)
    const provider = isSame ? this.#providers.get(name) : undefined
    return provider ?? makeProvider(one, this.#context, this.#checks)
  }

  #checkOne(provider: Provider, request: AccessRequest): Verdict | Promise<Verdict> {
    const isRefused = provider.isGuessable && this.#failures.refusedFor(request.address, this.#context.nowMs()) > 0
    return isRefused ? refuse('too-many-failures') : provider.check(request)
  }

  #decide(verdict: readonly Refusal[] | Extract<Verdict, { allowed: true }>, request: AccessRequest): AccessDecision {
    if ('allowed' in verdict) return verdict
    const reason = PRECEDENCE.find((candidate) => verdict.some((refusal) => refusal.reason === candidate)) ?? 'address'
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1)
    const nowMs = this.#context.nowMs()
    if (FAILURES.has(reason)) this.#failures.record(request.address, nowMs)
    if (reason === 'too-many-failures') {
      return deny(reason, 429, { 'Retry-After': String(this.#failures.refusedFor(request.address, nowMs)) })
    }
    if (reason === 'busy') return deny(reason, 503, { 'Retry-After': String(BUSY_RETRY_SECONDS) })
    const challenges = new Set(verdict.flatMap(({ challenge }) => challenge ?? []))
    if (challenges.size === 0) return deny(reason, 403, {})
    return deny(reason, 401, { 'WWW-Authenticate': [...challenges].join(', ') })
  }
}

/** Throws AUTH_UNKNOWN. */
function findProvider(name: string, providers: ReadonlyMap<string, Provider>): Provider {
  const provider = providers.get(name)
  if (provider !== undefined) return provider
  throw accessError('AUTH_UNKNOWN', `there is no provider "${name}" under auth`)
}

/** Admits a request if all of its providers do; the cheap ones are asked first. */
class AllProvider implements Provider {
  readonly cost: number
  readonly isGuessable: boolean
  readonly #parts: readonly Provider[]

  constructor(parts: readonly Provider[]) {
    this.#parts = [...parts].sort((a, b) => a.cost - b.cost)
    this.cost = Math.max(...parts.map(({ cost }) => cost))
    this.isGuessable = parts.some(({ isGuessable }) => isGuessable)
  }

  check(request: AccessRequest): Verdict | Promise<Verdict> {
    return checkAll(this.#parts, request, undefined)
  }
}

function checkAll(
  parts: readonly Provider[],
  request: AccessRequest,
  user: string | undefined,
): Verdict | Promise<Verdict> {
  const [part, ...rest] = parts
  if (part === undefined) return allow(user)
  const next = (verdict: Verdict): Verdict | Promise<Verdict> =>
    verdict.allowed ? checkAll(rest, request, user ?? verdict.user) : verdict
  const verdict = part.check(request)
  return verdict instanceof Promise ? verdict.then(next) : next(verdict)
}

type Answer = readonly Refusal[] | Extract<Verdict, { allowed: true }>

/** The first verdict that admits the request, otherwise all refusals. */
function checkAny(
  providers: readonly Provider[],
  check: (provider: Provider) => Verdict | Promise<Verdict>,
  refusals: readonly Refusal[] = [],
): Answer | Promise<Answer> {
  const [provider, ...rest] = providers
  if (provider === undefined) return refusals
  const next = (verdict: Verdict): Answer | Promise<Answer> =>
    verdict.allowed ? verdict : checkAny(rest, check, [...refusals, verdict])
  const verdict = check(provider)
  return verdict instanceof Promise ? verdict.then(next) : next(verdict)
}

function makeProvider(
  one: Exclude<AuthSettings, { readonly type: 'all' }>,
  context: AccessContext,
  checks: CheckQueue,
): Provider {
  switch (one.type) {
    case 'basic':
      return new BasicProvider(one.options, { nowMs: () => context.nowMs(), checks })
    case 'bearer':
      return new BearerProvider(one.options)
    case 'token':
      return new TokenProvider(one.options)
    case 'signed':
      return new SignedProvider(one.options, () => context.unixMs?.() ?? Date.now())
    case 'ip':
      return new IpProvider(one.options)
  }
}

function deny(reason: RefusedAccess, status: number, headers: Readonly<Record<string, string>>): AccessDecision {
  return { allowed: false, reason, status, headers }
}
