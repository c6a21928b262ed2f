// Decides who is admitted: asks the providers that a node names, counts refusals, and stops addresses that keep
// guessing. Names in a list are alternatives; a provider of type `all` requires all of its providers.
import { isDeepStrictEqual } from 'node:util'
import { accessError } from './access-errors.js'
import type { AccessDecision, AccessRequest, Auth, RefusedAccess } from '../plugin/auth.js'
import type { AuthDefinition } from '../plugin/auth-definition.js'
import { type AllOptions, type AuthSettings, DEFAULT_ACTIONS } from './auth-schema.js'
import type { ProviderSettings } from '../graph/graph.js'
import { BasicProvider } from './basic-provider.js'
import { BearerProvider } from './bearer-provider.js'
import { FailureLimit } from './failure-limit.js'
import { IpProvider } from './ip-provider.js'
import { KeyedDigest } from './keyed-digest.js'
import {
  type ManagedProvider,
  type Provider,
  type ProviderScope,
  refuse,
  ScopedProvider,
  type Verdict,
} from './provider.js'
import { SignedProvider } from './signed-provider.js'
import { CheckQueue } from './check-queue.js'
import { TokenProvider } from './token-provider.js'

/** If several providers refuse, the reported reason is the one that comes first here. */
const PRECEDENCE: readonly RefusedAccess[] = [
  'too-many-failures',
  'busy',
  'failed',
  'bad-credentials',
  'bad-signature',
  'expired',
  'denied',
  'wrong-path',
  'no-credentials',
  'address',
  'wrong-protocol',
  'wrong-action',
]
/** Responses of these protocols have headers. */
const HTTP: readonly string[] = ['http', 'https']
/** Refusals that say nothing about the client. */
const UNDECIDED: readonly RefusedAccess[] = ['busy', 'failed']
/** Refusals that count as guesses; an address has a limited number of them. */
const FAILURES: ReadonlySet<RefusedAccess> = new Set(['bad-credentials', 'bad-signature'])
const BUSY_RETRY_SECONDS = 2
/** Providers that are remembered after a reload has removed them. */
const MOST_FORMER = 16

type BuiltInSettings = Exclude<AuthSettings, { readonly type: 'all' }>
interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}
type Refusal = Extract<Verdict, { readonly allowed: false }>
type Admission = Extract<Verdict, { readonly allowed: true }>
/** The first verdict that admits the request, otherwise all refusals. */
type Answer = readonly Refusal[] | Admission

export interface AccessContext {
  /** Monotonic. */
  nowMs(): number
  /** Unix time by the clock of the machine; expiry dates are compared with it. By default Date.now. */
  unixMs?(): number
  /** A provider of a plugin, not opened yet. By default there are none. */
  createProvider?(definition: AuthDefinition, settings: Pick<ProviderSettings, 'name' | 'options'>): ManagedProvider
}

export class AccessControl implements Auth {
  /** Requests refused, by reason. */
  readonly refused = new Map<RefusedAccess, number>()
  readonly #context: AccessContext
  readonly #failures = new FailureLimit()
  readonly #checks = new CheckQueue()
  readonly #credentials = new KeyedDigest()
  #settings: readonly ProviderSettings[] = []
  /** Those that combine no others, by name. */
  #own: ReadonlyMap<string, Provider> = new Map()
  #isStarted = false
  #providers: ReadonlyMap<string, Provider> = new Map()
  /** Not configured any more, oldest first. Nodes that a reload has not replaced yet still name them. */
  #former: ReadonlyMap<string, Provider> = new Map()

  /** `settings`: from the checked graph. */
  constructor(settings: readonly ProviderSettings[], context: AccessContext) {
    this.#context = context
    this.update(settings)
  }

  /**
   * Applies to new clients; checks in progress finish with the providers they started with, and nodes that still name a
   * provider that is gone keep it; one of a plugin refuses then, unless it goes on under another name. Counted failures are
   * kept.
   * Throws AUTH_UNKNOWN; then nothing has changed.
   */
  update(settings: readonly ProviderSettings[]): void {
    const names = new Set(settings.map(({ name }) => name))
    const leaving = this.#settings.filter(({ name, definition }) => definition !== undefined && !names.has(name))
    const own = new Map(
      settings.flatMap((one) => (isCombined(one) ? [] : [[one.name, this.#providerOf(one, leaving)] as const])),
    )
    const providers = new Map<string, Provider>()
    for (const one of settings) {
      const provider = own.get(one.name)
      if (provider !== undefined) providers.set(one.name, new ScopedProvider(provider, scopeOf(one)))
    }
    for (const one of settings) {
      if (!isCombined(one)) continue
      const { of } = one.options as AllOptions
      const all = new AllProvider(of.map((name) => findProvider(name, providers)))
      providers.set(one.name, new ScopedProvider(all, one))
    }
    const before = this.#own
    const gone = [...this.#former, ...this.#providers].filter(([name]) => !providers.has(name))
    this.#former = new Map(gone.slice(-MOST_FORMER))
    this.#settings = settings
    this.#own = own
    this.#providers = providers
    this.#manage(before)
  }

  /** Opens the providers of plugins, and from now on those that an update adds. */
  start(): void {
    this.#isStarted = true
    for (const provider of this.#own.values()) if (isManaged(provider)) provider.start()
  }

  /** Closes the providers of plugins. Never rejects. */
  async close(): Promise<void> {
    await Promise.all([...this.#own.values()].filter(isManaged).map((provider) => provider.close()))
  }

  check(names: readonly string[], request: AccessRequest): AccessDecision | Promise<AccessDecision> {
    const providers = names.map((name) => this.#former.get(name) ?? findProvider(name, this.#providers))
    providers.sort((a, b) => a.cost - b.cost)
    if (providers.length === 0) return { allowed: true, user: undefined }
    const verdict = checkAny(providers, (provider) => this.#checkOne(provider, request))
    if (verdict instanceof Promise) return verdict.then((late) => this.#decide(late, request))
    return this.#decide(verdict, request)
  }

  /**
   * An unchanged provider is kept, with the passwords that it remembers; that of a plugin, whatever its options, and under
   * another name if it is one of those that are `leaving`, of which it takes one.
   */
  #providerOf(one: ProviderSettings, leaving: ProviderSettings[]): Provider {
    const known = this.#own.get(one.name)
    if (one.definition !== undefined) {
      const isSame = known !== undefined && isManaged(known) && known.definition === one.definition
      const provider = isSame
        ? known
        : (this.#renamedTo(one, leaving) ?? this.#context.createProvider?.(one.definition, one))
      if (provider !== undefined) return provider
      throw accessError('AUTH_UNKNOWN', `there is nothing to open "${one.name}" with`)
    }
    const before = this.#settings.find((each) => each.name === one.name)
    const isSame = before?.type === one.type && isDeepStrictEqual(before.options, one.options)
    // Loading the configuration parsed the options of each with the schema of its type.
    return (isSame ? known : undefined) ?? makeProvider(one as BuiltInSettings, this.#context, this.#checks)
  }

  /** Opened anew beside the old one, it would be without what that knows, and could not have its paths. */
  #renamedTo({ definition, options }: ProviderSettings, leaving: ProviderSettings[]): Provider | undefined {
    const index = leaving.findIndex((old) => old.definition === definition && isDeepStrictEqual(old.options, options))
    const [old] = index === -1 ? [] : leaving.splice(index, 1)
    return old && this.#own.get(old.name)
  }

  #manage(before: ReadonlyMap<string, Provider>): void {
    const kept = new Set(this.#own.values())
    for (const provider of before.values()) if (isManaged(provider) && !kept.has(provider)) void provider.close()
    const known = new Set(before.values())
    for (const { name, options } of this.#settings) {
      const provider = this.#own.get(name)
      if (provider === undefined || !isManaged(provider)) continue
      if (before.get(name) === provider) provider.update(options)
      else if (known.has(provider)) provider.rename(name)
      else if (this.#isStarted) provider.start()
    }
  }

  #checkOne(provider: Provider, request: AccessRequest): Verdict | Promise<Verdict> {
    const isRefused = provider.isGuessable && this.#failures.refusedFor(request.address, this.#context.nowMs()) > 0
    return isRefused ? refuse('too-many-failures') : provider.check(request)
  }

  #decide(verdict: Answer, request: AccessRequest): AccessDecision {
    if ('allowed' in verdict) return this.#admit(verdict)
    const reason = PRECEDENCE.find((candidate) => verdict.some((refusal) => refusal.reason === candidate)) ?? 'address'
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1)
    const nowMs = this.#context.nowMs()
    // A guess counts even if another provider could not decide.
    if (verdict.some((refusal) => FAILURES.has(refusal.reason))) this.#failures.record(request.address, nowMs)
    const why = verdict.find((refusal) => refusal.reason === reason)?.why
    const answer = this.#answerTo(reason, verdict, request.address, nowMs)
    const headers = HTTP.includes(request.protocol) ? answer.headers : {}
    return { allowed: false, reason, ...(why === undefined ? {} : { why }), status: answer.status, headers }
  }

  #admit({ user, credential, isForAddress = false, secret, giveBack }: Admission): AccessDecision {
    const [encrypted, undo] = [secret === undefined ? {} : { secret }, giveBack === undefined ? {} : { giveBack }]
    const admitted = { allowed: true, user, ...encrypted, ...undo } as const
    if (credential === undefined) return admitted
    const id = this.#credentials.of(credential).toString('base64url')
    return { ...admitted, credential: { id, isForAddress } }
  }

  #answerTo(reason: RefusedAccess, refusals: readonly Refusal[], address: string, nowMs: number): HttpAnswer {
    if (reason === 'too-many-failures') {
      return { status: 429, headers: { 'Retry-After': String(this.#failures.refusedFor(address, nowMs)) } }
    }
    if (UNDECIDED.includes(reason)) return { status: 503, headers: { 'Retry-After': String(BUSY_RETRY_SECONDS) } }
    const challenges = new Set(refusals.flatMap(({ challenge }) => challenge ?? []))
    if (challenges.size === 0) return { status: 403, headers: {} }
    return { status: 401, headers: { 'WWW-Authenticate': [...challenges].join(', ') } }
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
    return checkAll(this.#parts, request, { allowed: true, user: undefined })
  }
}

function checkAll(parts: readonly Provider[], request: AccessRequest, soFar: Admission): Verdict | Promise<Verdict> {
  const [part, ...rest] = parts
  if (part === undefined) return soFar
  const next = (verdict: Verdict): Verdict | Promise<Verdict> => {
    if (verdict.allowed) return checkAll(rest, request, bothOf(soFar, verdict))
    soFar.giveBack?.()
    return verdict
  }
  const verdict = part.check(request)
  return verdict instanceof Promise ? verdict.then(next) : next(verdict)
}

function bothOf(first: Admission, second: Admission): Admission {
  const credential = [first, second].flatMap((each) => each.credential ?? []).join('\n')
  const secret = first.secret ?? second.secret
  // What came last goes back first: both may have used the same thing.
  const undo = [second, first].flatMap((each) => each.giveBack ?? [])
  return {
    ...{ allowed: true, user: first.user ?? second.user },
    ...(credential === '' ? {} : { credential }),
    ...(secret === undefined ? {} : { secret }),
    ...(undo.length === 0 ? {} : { giveBack: () => undo.forEach((giveBack) => giveBack()) }),
    isForAddress: first.isForAddress === true || second.isForAddress === true,
  }
}

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

function makeProvider(one: BuiltInSettings, context: AccessContext, checks: CheckQueue): Provider {
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

function isCombined({ type }: ProviderSettings): boolean {
  return type === 'all'
}

function scopeOf({ actions = DEFAULT_ACTIONS, protocols }: ProviderSettings): ProviderScope {
  return { actions, protocols }
}

function isManaged(provider: Provider): provider is ManagedProvider {
  return 'close' in provider
}
