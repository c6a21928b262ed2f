// Sessions of viewers that have no connection of their own: requests with the same key are one viewer. Clients choose
// their keys, so the keys of one address are bounded, those that were used only once more tightly: a client that sends a
// new key with each request takes no more places than that, and nobody is told of its sessions one by one. Viewers that
// share an address may be replaced too; a key that comes again after that is known at once.
import { limitKeyOf } from '../listen/ip-address.js'
import type { Refusal, SessionCallbacks, Who } from '../plugin/audience.js'
import { copyOf, type OpenSession } from './session.js'

const MAX_KEY_LENGTH = 128
const MAX_PER_ADDRESS = 256
/** Keys of one address that were used only once. */
const MAX_NEW_PER_ADDRESS = 8
/** Keys of one address that were replaced, and may come again. */
const MAX_REPLACED = 256
const MAX_KICKED = 1000
const KICKED_FOR_MS = 60_000
const KICKED: Refusal = { refused: 'kicked', status: 403 }

interface Keyed {
  readonly key: string
  readonly session: OpenSession
  readonly keys: AddressKeys
  usedMs: number
  /** Responses that are under way. */
  busy: number
}

/** The keys of one address, in the order of their last use. */
interface AddressKeys {
  /** Used once. */
  readonly fresh: Set<Keyed>
  readonly known: Set<Keyed>
  readonly replaced: Set<string>
  isReported: boolean
}

export interface KeyedSessionsHost {
  nowMs(): number
  /** Counts a refusal. The session has not been announced. */
  enter(who: Who, callbacks: SessionCallbacks): OpenSession | Refusal
  announce(session: OpenSession): void
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

  touch(given: string, who: Who, callbacks: SessionCallbacks): OpenSession | Refusal {
    const key = keyOf(given, who)
    const nowMs = this.#host.nowMs()
    const keyed = this.#byKey.get(key)
    if (keyed !== undefined) {
      keyed.session.callbacks = callbacks
      this.#noteRequest(keyed, nowMs)
      return keyed.session
    }
    if (this.#isKicked(key, nowMs)) return this.#refuseKicked(who)
    const session = this.#host.enter(who, callbacks)
    if (!('refused' in session)) this.#add(copyOf(key, key.length), session, nowMs)
    return session
  }

  /** The session of this key, of which this is a request. Undefined: there is none. */
  find(given: string, who: Who): OpenSession | Refusal | undefined {
    const key = keyOf(given, who)
    const nowMs = this.#host.nowMs()
    const keyed = this.#byKey.get(key)
    if (keyed !== undefined) {
      this.#noteRequest(keyed, nowMs)
      return keyed.session
    }
    return this.#isKicked(key, nowMs) ? this.#refuseKicked(who) : undefined
  }

  /** Ends those without a request, and without bytes sent, since then. */
  endIdle(beforeMs: number): void {
    for (const { usedMs, busy, session } of this.#byKey.values()) {
      if (usedMs >= beforeMs) return
      if (busy > 0) continue
      this.#host.announce(session)
      session.end('idle')
    }
  }

  /** The key of this session, if it has one, is refused for a while. */
  noteKick(session: OpenSession): void {
    for (const [key, keyed] of session.use === undefined ? [] : this.#byKey) {
      if (keyed.session !== session) continue
      this.#kicked.delete(key)
      this.#kicked.set(key, this.#host.nowMs() + KICKED_FOR_MS)
      dropOldest(this.#kicked, MAX_KICKED)
      return
    }
  }

  #refuseKicked(who: Who): Refusal {
    this.#host.refuse(who, KICKED.refused, KICKED.status)
    return KICKED
  }

  #isKicked(key: string, nowMs: number): boolean {
    const untilMs = this.#kicked.get(key)
    if (untilMs === undefined || nowMs < untilMs) return untilMs !== undefined
    this.#kicked.delete(key)
    return false
  }

  #noteRequest(keyed: Keyed, nowMs: number): void {
    const { keys, session } = keyed
    this.#noteUse(keyed, nowMs)
    keys.fresh.delete(keyed)
    keys.known.delete(keyed)
    keys.known.add(keyed)
    this.#host.announce(session)
  }

  #noteUse(keyed: Keyed, nowMs: number): void {
    keyed.usedMs = nowMs
    this.#byKey.delete(keyed.key)
    this.#byKey.set(keyed.key, keyed)
  }

  #add(key: string, session: OpenSession, nowMs: number): void {
    const address = limitKeyOf(session.who.address)
    const keys = this.#keysOf(address)
    const keyed: Keyed = { key, session, keys, usedMs: nowMs, busy: 0 }
    session.use = {
      onSent: () => this.#noteUse(keyed, this.#host.nowMs()),
      onBusy: (change) => {
        keyed.busy += change
        if (!session.isOver) this.#noteUse(keyed, this.#host.nowMs())
      },
      onOver: () => {
        this.#byKey.delete(key)
        keys.fresh.delete(keyed)
        keys.known.delete(keyed)
        if (keys.fresh.size + keys.known.size === 0) this.#byAddress.delete(address)
      },
    }
    this.#byKey.set(key, keyed)
    keys.fresh.add(keyed)
    if (keys.replaced.delete(key)) this.#noteRequest(keyed, nowMs)
    this.#replaceSurplus(keys, session)
  }

  #keysOf(address: string): AddressKeys {
    const found = this.#byAddress.get(address)
    if (found !== undefined) return found
    const keys = { fresh: new Set<Keyed>(), known: new Set<Keyed>(), replaced: new Set<string>(), isReported: false }
    this.#byAddress.set(address, keys)
    return keys
  }

  #replaceSurplus(keys: AddressKeys, { who }: OpenSession): void {
    const { fresh, known, replaced } = keys
    const count = fresh.size + known.size
    const isOver = count > MAX_PER_ADDRESS
    const [surplus] = fresh.size > MAX_NEW_PER_ADDRESS || (isOver && known.size === 0) ? fresh : isOver ? known : []
    if (surplus === undefined) return
    if (!keys.isReported) this.#host.onBound(who, count - 1)
    keys.isReported = true
    replaced.add(surplus.key)
    dropOldest(replaced, MAX_REPLACED)
    surplus.session.end('replaced')
  }
}

/** Users have keys of their own. */
function keyOf(given: string, { user = '' }: Who): string {
  return `${user}\n${String(given).slice(0, MAX_KEY_LENGTH)}`
}

function dropOldest(kept: Set<string> | Map<string, unknown>, most: number): void {
  const [oldest] = kept.keys()
  if (kept.size > most && oldest !== undefined) kept.delete(oldest)
}
