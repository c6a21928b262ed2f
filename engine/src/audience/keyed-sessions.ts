// Sessions of viewers that have no connection of their own: requests with the same key are one viewer. Clients choose
// their keys, so the keys of one address are bounded, those that were used only once more tightly: a client that sends a
// new key with each request takes no more places than that.
import { limitKeyOf } from '../listen/ip-address.js'
import type { Refusal, Session, SessionCallbacks, Who } from '../plugin/audience.js'
import type { OpenSession } from './session.js'

const MAX_KEY_LENGTH = 128
const MAX_PER_ADDRESS = 256
/** Keys of one address that were used only once. */
const MAX_NEW_PER_ADDRESS = 8
const MAX_KICKED = 1000
const KICKED_FOR_MS = 60_000
const KICKED: Refusal = { refused: 'kicked', status: 403 }

interface Keyed {
  readonly key: string
  readonly session: OpenSession
  readonly keys: AddressKeys
  usedMs: number
  /** A second request has come. */
  isKnown: boolean
}

/** The keys of one address, in the order of their last use. */
interface AddressKeys {
  readonly fresh: Set<Keyed>
  readonly known: Set<Keyed>
  isReported: boolean
}

export interface KeyedSessionsHost {
  nowMs(): number
  /** Counts a refusal. */
  enter(who: Who, callbacks: SessionCallbacks): OpenSession | Refusal
  refuse(who: Who, reason: string, status: number): void
  /** This address has reached the bound of its keys; called once while it has any. */
  onBound(who: Who, keys: number): void
}

export class KeyedSessions {
  readonly #host: KeyedSessionsHost
  /** In the order of their last use. */
  readonly #byKey = new Map<string, Keyed>()
  readonly #byAddress = new Map<string, AddressKeys>()
  /** Until when, oldest first. */
  readonly #kicked = new Map<string, number>()

  constructor(host: KeyedSessionsHost) {
    this.#host = host
  }

  touch(given: string, who: Who, callbacks: SessionCallbacks): Session | Refusal {
    const key = given.slice(0, MAX_KEY_LENGTH)
    const nowMs = this.#host.nowMs()
    const keyed = this.#byKey.get(key)
    if (keyed !== undefined) {
      this.#use(keyed, nowMs)
      return keyed.session
    }
    if (this.#isKicked(key, nowMs)) {
      this.#host.refuse(who, KICKED.refused, KICKED.status)
      return KICKED
    }
    const session = this.#host.enter(who, callbacks)
    if (!('refused' in session)) this.#add(key, session, nowMs)
    return session
  }

  /** Ends those without a request since then. */
  endIdle(beforeMs: number): void {
    for (const { usedMs, session } of this.#byKey.values()) {
      if (usedMs >= beforeMs) return
      session.end('idle')
    }
  }

  /** The key of this session, if it has one, is refused for a while. */
  noteKick({ key }: OpenSession): void {
    if (key === undefined) return
    this.#kicked.delete(key)
    this.#kicked.set(key, this.#host.nowMs() + KICKED_FOR_MS)
    const [oldest] = this.#kicked.keys()
    if (this.#kicked.size > MAX_KICKED && oldest !== undefined) this.#kicked.delete(oldest)
  }

  #isKicked(key: string, nowMs: number): boolean {
    const untilMs = this.#kicked.get(key)
    if (untilMs === undefined || nowMs < untilMs) return untilMs !== undefined
    this.#kicked.delete(key)
    return false
  }

  #use(keyed: Keyed, nowMs: number): void {
    const { key, keys } = keyed
    keyed.usedMs = nowMs
    keyed.isKnown = true
    this.#byKey.delete(key)
    this.#byKey.set(key, keyed)
    keys.fresh.delete(keyed)
    keys.known.delete(keyed)
    keys.known.add(keyed)
  }

  #add(key: string, session: OpenSession, nowMs: number): void {
    const address = limitKeyOf(session.who.address)
    const keys = this.#byAddress.get(address) ?? { fresh: new Set(), known: new Set(), isReported: false }
    this.#byAddress.set(address, keys)
    const keyed: Keyed = { key, session, keys, usedMs: nowMs, isKnown: false }
    this.#byKey.set(key, keyed)
    keys.fresh.add(keyed)
    session.key = key
    session.onOver = () => {
      this.#byKey.delete(key)
      keys.fresh.delete(keyed)
      keys.known.delete(keyed)
      if (keys.fresh.size + keys.known.size === 0) this.#byAddress.delete(address)
    }
    const [oldestNew] = keys.fresh
    const [oldest] = keys.known.size === 0 ? keys.fresh : keys.known
    const isOverAll = keys.fresh.size + keys.known.size > MAX_PER_ADDRESS
    const surplus = keys.fresh.size > MAX_NEW_PER_ADDRESS ? oldestNew : isOverAll ? oldest : undefined
    if (surplus === undefined) return
    if (!keys.isReported) this.#host.onBound(session.who, keys.fresh.size + keys.known.size - 1)
    keys.isReported = true
    surplus.session.end('replaced')
  }
}
