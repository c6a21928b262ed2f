// The sessions: created for a stream, used once, gone when their time is over. Times are monotonic milliseconds.
import { randomBytes } from 'node:crypto'
import type { AccessAction } from '@millrace/engine/plugin'
import type { KeyedDigest } from './keyed-digest.js'
import type { Grant } from './stream-tokens.js'

/** 64 bits. */
const ID_BYTES = 8
/** Longer ones are nobody's. */
const LONGEST_ID = 64

export interface Session {
  /** Secret. */
  readonly id: string
  readonly grant: Grant
  /** When it is forgotten: unused, or when it can't be resumed any more. */
  readonly expiresAtMs: number
  /** Who has used it. */
  readonly address: string | undefined
}

/** Why it was not taken. `unknown`: also when its time is over. */
export type TakeRefusal = 'unknown' | 'other-stream' | 'other-action' | 'used'

/** One use of a session. */
export interface Taken {
  readonly before: Session
  /** What the store has held since; undefined: it was good for one use. */
  readonly after: Session | undefined
}

export interface Taker {
  readonly id: string
  readonly stream: string
  readonly action: AccessAction
  readonly address: string
}

export interface SessionLimits {
  readonly lifetimeMs: number
  readonly resumeMs: number
  /** Of one token. */
  readonly most: number
}

export class SessionStore {
  readonly counters = { created: 0, used: 0, resumed: 0, unused: 0 }
  readonly #digest: KeyedDigest
  readonly #limits: () => SessionLimits
  /** By the digest of the id. */
  readonly #sessions = new Map<string, Session>()
  /** Sessions by token and stream. */
  readonly #counts = new Map<string, number>()

  constructor(digest: KeyedDigest, limits: () => SessionLimits) {
    this.#digest = digest
    this.#limits = limits
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Undefined: the token has as many as it may have. */
  create(grant: Grant, nowMs: number): Session | undefined {
    const { lifetimeMs, most } = this.#limits()
    if (this.#countOf(grant) >= most) this.purge(nowMs)
    if (this.#countOf(grant) >= most) return undefined
    const id = randomBytes(ID_BYTES).toString('hex')
    const session: Session = { id, grant, expiresAtMs: nowMs + lifetimeMs, address: undefined }
    this.#sessions.set(this.#keyOf(id), session)
    this.#count(grant, 1)
    this.counters.created++
    return session
  }

  /** Uses it, or uses it again; a refusal changes nothing. */
  take({ id, stream, action, address }: Taker, nowMs: number): TakeRefusal | Taken {
    const { resumeMs } = this.#limits()
    if (id.length > LONGEST_ID) return 'unknown'
    const key = this.#keyOf(id)
    const before = this.#sessions.get(key)
    if (before === undefined || before.expiresAtMs <= nowMs) return 'unknown'
    if (before.grant.stream !== stream) return 'other-stream'
    if (before.grant.action !== undefined && before.grant.action !== action) return 'other-action'
    if (before.address !== undefined && before.address !== address) return 'used'
    this.counters[before.address === undefined ? 'used' : 'resumed']++
    const after = resumeMs === 0 ? undefined : { ...before, address, expiresAtMs: nowMs + resumeMs }
    if (after === undefined) this.#remove(key, before)
    else this.#sessions.set(key, after)
    return { before, after }
  }

  /** As before this use, unless it was used again or removed since, or there is no room for it: then nothing happens. */
  restore({ before, after }: Taken): void {
    const key = this.#keyOf(before.id)
    // One that is gone because of its use comes back by this alone.
    if (this.#sessions.get(key) !== after) return
    if (after === undefined && this.#countOf(before.grant) >= this.#limits().most) return
    if (after === undefined) this.#count(before.grant, 1)
    this.#sessions.set(key, before)
  }

  /** Those of one token. */
  listOf(grant: Grant, nowMs: number): readonly Session[] {
    return [...this.#sessions.values()].filter((session) => this.#isVisible(session, grant, nowMs))
  }

  find(grant: Grant, id: string, nowMs: number): Session | undefined {
    const session = id.length <= LONGEST_ID ? this.#sessions.get(this.#keyOf(id)) : undefined
    return session !== undefined && this.#isVisible(session, grant, nowMs) ? session : undefined
  }

  delete({ id }: Session): void {
    const key = this.#keyOf(id)
    const session = this.#sessions.get(key)
    if (session !== undefined) this.#remove(key, session)
  }

  /** Removes those whose time is over. */
  purge(nowMs: number): void {
    for (const [key, session] of this.#sessions) {
      if (session.expiresAtMs > nowMs) continue
      if (session.address === undefined) this.counters.unused++
      this.#remove(key, session)
    }
  }

  /** Keeps those whose token is still good for them. */
  retain(isValid: (grant: Grant) => boolean): void {
    for (const [key, session] of this.#sessions) if (!isValid(session.grant)) this.#remove(key, session)
  }

  #isVisible({ grant, expiresAtMs }: Session, asked: Grant, nowMs: number): boolean {
    return expiresAtMs > nowMs && grant.stream === asked.stream && this.#digest.isSame(grant.digest, asked.digest)
  }

  #remove(key: string, { grant }: Session): void {
    this.#sessions.delete(key)
    this.#count(grant, -1)
  }

  #keyOf(id: string): string {
    return this.#digest.of(id).toString('base64')
  }

  #countOf(grant: Grant): number {
    return this.#counts.get(countKey(grant)) ?? 0
  }

  #count(grant: Grant, by: number): void {
    const count = this.#countOf(grant) + by
    if (count > 0) this.#counts.set(countKey(grant), count)
    else this.#counts.delete(countKey(grant))
  }
}

function countKey({ stream, digest }: Grant): string {
  return `${digest.toString('base64')} ${stream}`
}
