// The viewers of one output, over all its paths and protocols.
import { startCounters } from './audience-counters.js'
import { LogLimit } from '../observe/log-limit.js'
import type { ClientStatus } from '../observe/status.js'
import { copyOf, keptOf, OpenSession, type SessionHost, startOf } from './session.js'
import type { SessionEnd, SessionWatcher } from '../observe/viewer-events.js'
import type {
  Audience,
  AudienceCounters,
  AudienceOptions,
  ClientLimits,
  Refusal,
  SessionCallbacks,
  Who,
} from '../plugin/audience.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { countReason } from './count-reason.js'
import { inSlices } from './in-slices.js'
import { KeyedSessions } from './keyed-sessions.js'
import { type RecentRefusal, RecentRefusals } from './recent-refusals.js'
import { type LimitChange, ViewerLimits } from './viewer-limits.js'
import type { ViewerLines } from './viewer-lines.js'

const IDLE_MS = 30_000
const UNAVAILABLE = 503
const CLOSED: Refusal = { refused: 'ended', status: UNAVAILABLE }
const MAX_REASON = 64
/** If more sessions end with their output, its log counts them. */
const MANY = 20
const NO_CALLBACKS: SessionCallbacks = {}

/** What the audience of an output needs of those of all outputs. */
export interface AudienceContext {
  readonly clock: Clock
  readonly log: Logger
  readonly watchers: SessionWatcher
  readonly lines: ViewerLines
  nextId(): string
  /** Why a viewer on this listener is refused, whatever the output; undefined if it is not. */
  refusalOn(listener: string): 'closing' | 'listener-max-clients' | 'engine-max-clients' | undefined
  onOpen(session: OpenSession): void
  onOver(session: OpenSession): void
  /** A limit of this output has been reached, or no longer is. */
  onLimitChange(id: string, change: LimitChange): void
  onRename(): void
  onClose(): void
}

export class OutputAudience implements Audience, SessionHost {
  readonly counters: AudienceCounters = startCounters()
  /** What closes it: the hold of the output that has it now. */
  owner: object | undefined
  readonly #context: AudienceContext
  readonly #limits: ViewerLimits
  readonly #keyed: KeyedSessions
  readonly #sessions = new Set<OpenSession>()
  readonly #refusals = new RecentRefusals()
  #id: string
  #options: AudienceOptions
  #isClosed = false
  #closing: Promise<void> | undefined
  #endsMany = false

  constructor(id: string, options: AudienceOptions, context: AudienceContext) {
    this.#id = id
    this.#options = options
    this.#context = context
    this.#limits = new ViewerLimits(options.limits, (change) => context.onLimitChange(this.#id, change))
    const boundLines = new LogLimit(context.clock)
    this.#keyed = new KeyedSessions({
      nowMs: () => this.nowMs(),
      enter: (who, callbacks) => this.#enter(who, callbacks),
      announce: (session) => this.#announce(session),
      refuse: (who, reason, status) => this.refuse(who, reason, status),
      onBound: ({ address }, keys) =>
        boundLines.log((leftOut) => {
          const found = { node: this.#id, address, keys, ...leftOut }
          context.log.warn(found, 'a client uses a new session key for each request')
        }),
    })
  }

  /** Id of the output. */
  get id(): string {
    return this.#id
  }

  get limits(): ClientLimits {
    return this.#options.limits
  }

  /** The limits that are reached now. */
  get limitsReached(): readonly ('soft' | 'max')[] {
    return this.#limits.reached
  }

  /** In order of arrival. */
  viewers(): readonly ClientStatus[] {
    const { clock } = this.#context
    return Array.from(this.#sessions, (session) => session.describe((atMs) => clock.wallMs(atMs)))
  }

  /** Of the last minute, newest first. */
  recentRefusals(): readonly RecentRefusal[] {
    return this.#refusals.list(this.nowMs())
  }

  refusalOf({ address, listener }: Pick<Who, 'address' | 'listener'>): Refusal | undefined {
    if (this.#isClosed) return CLOSED
    const refused = this.#limits.refusal(address) ?? this.#context.refusalOn(listener)
    if (refused === undefined) return undefined
    return { refused, status: refused === 'closing' ? UNAVAILABLE : this.limits.overLimitStatus }
  }

  enter(who: Who, callbacks: SessionCallbacks = NO_CALLBACKS): OpenSession | Refusal {
    const session = this.#enter(who, callbacks)
    if (!('refused' in session)) this.#announce(session)
    return session
  }

  touch(key: string, who: Who, callbacks: SessionCallbacks = NO_CALLBACKS): OpenSession | Refusal {
    return this.#keyed.touch(key, who, callbacks)
  }

  find(key: string, who: Who): OpenSession | Refusal | undefined {
    return this.#keyed.find(key, who)
  }

  refuse(who: Who, reason: string, status: number): void {
    const kept = copyOf(reason, MAX_REASON)
    countReason(this.counters.refused, kept)
    this.#refusals.note(kept, status, this.nowMs())
    const outcome = { status, bytes: 0, durationMs: 0, skips: 0, skippedBytes: 0, reason: kept }
    this.#context.watchers.onEnd({ ...startOf('', this.#id, keptOf(who)), ...outcome })
  }

  update(options: Partial<AudienceOptions>): void {
    this.#options = { ...this.#options, ...options }
    this.#limits.update(this.limits)
  }

  /** The output has another id now. */
  rename(id: string): void {
    this.#id = id
    this.#context.onRename()
  }

  /** An operator disconnects this viewer; a key that it has is refused for a while. */
  kick(session: OpenSession): void {
    this.#keyed.noteKick(session)
    session.kick()
  }

  /** Called once a second. */
  sweep(nowMs: number): void {
    this.#keyed.endIdle(nowMs - (this.#options.idleMs ?? IDLE_MS))
  }

  nowMs(): number {
    return this.#context.clock.nowMs()
  }

  onSent(bytes: number): void {
    this.counters.sentBytes += bytes
  }

  onEnd(session: OpenSession, end: SessionEnd, isRefused: boolean): void {
    if (!this.#sessions.delete(session)) return
    const { counters } = this
    counters.clients--
    this.#limits.remove(session.who.address)
    this.#context.onOver(session)
    countReason(isRefused ? counters.refused : counters.ended, end.reason)
    if (isRefused) this.#refusals.note(end.reason, end.status, this.nowMs())
    if (!session.isAnnounced) return
    if (!isRefused) this.#context.lines[this.#endsMany ? 'count' : 'add'](end)
    this.#context.watchers.onEnd(end)
  }

  /** Ends all sessions that are left. Safe twice. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#endsMany = this.#sessions.size > MANY
    this.#isClosed = true
    await inSlices(this.#sessions, (session) => session.end('cut'))
    this.#context.lines.flush()
    this.#context.onClose()
  }

  /** Nobody is told of it yet. */
  #enter(who: Who, callbacks: SessionCallbacks): OpenSession | Refusal {
    const refusal = this.refusalOf(who)
    if (refusal !== undefined) {
      this.refuse(who, refusal.refused, refusal.status)
      return refusal
    }
    const session = new OpenSession(this.#context.nextId(), who, callbacks, this)
    this.#sessions.add(session)
    this.#context.onOpen(session)
    this.counters.clients++
    this.#limits.add(session.who.address)
    return session
  }

  #announce(session: OpenSession): void {
    if (session.isAnnounced || session.isOver) return
    session.isAnnounced = true
    this.counters.connects++
    this.#context.watchers.onStart(startOf(session.id, this.#id, session.who))
  }
}
