// Grants: what admitted viewers exchange their credentials for. A grant is part of the path, so that players need
// nothing else for the requests that follow, from whatever address; it lasts as long as it is used.
import { createHmac, randomBytes } from 'node:crypto'
import type { Clock, ExchangeableCredential } from '@millrace/engine/plugin'
import { networkOf } from './network-of.js'
import { NONCE_BYTES, openGrant, sealGrant } from './sealed-grant.js'

/** A grant that nobody uses for so long is void: a viewer may pause, or hand over to another device. */
const IDLE_MS = 300_000
/** Seconds after the start in which grants of the process before are taken: its viewers ask within these. */
const RESUME_MS = 60_000
const LONGEST_RESUMED_SECONDS = 86_400
const MOST = 20_000
/** Of one IPv4 address, or one IPv6 /64. */
const MOST_OF_NETWORK = 2000

export interface Grant {
  readonly id: string
  /** As in paths. */
  readonly text: string
  /** Who was admitted. */
  readonly user: string | undefined
  /** The only address that may use it; undefined: any may. */
  readonly address: string | undefined
  readonly network: string
  /** What it was given for: a credential, and the address that presented it. */
  readonly origin: string
  usedMs: number
  /** A digest of the request that it was given for. */
  request: string | undefined
}

type GivenGrant = Pick<Grant, 'id' | 'text' | 'user' | 'address' | 'origin'>

export interface Asker {
  readonly credential: ExchangeableCredential
  readonly address: string
  readonly user: string | undefined
}

export interface GrantsHost {
  readonly key: Uint8Array
  readonly clock: Pick<Clock, 'nowMs' | 'wallMs'>
}

export class Grants {
  /** Without a request for so long a viewer is gone, and its grant yields to others where there are too many. */
  quietMs = 30_000
  readonly #host: GrantsHost
  readonly #startedMs: number
  /** In the order of their last use, as the sets of each network. */
  readonly #byId = new Map<string, Grant>()
  readonly #byOrigin = new Map<string, Grant>()
  readonly #byRequest = new Map<string, Grant>()
  readonly #networks = new Map<string, Set<Grant>>()

  constructor(host: GrantsHost) {
    this.#host = host
    this.#startedMs = host.clock.nowMs()
  }

  get size(): number {
    return this.#byId.size
  }

  /** The same one for the same credential from the same address. Undefined: there are too many. */
  exchange({ credential, address, user }: Asker): Grant | undefined {
    const nowMs = this.#host.clock.nowMs()
    const origin = `${credential.id} ${address}`
    const known = this.#byOrigin.get(origin)
    if (known !== undefined && known.user === user && (known.address !== undefined) === credential.isForAddress) {
      this.#use(known, nowMs)
      return known
    }
    const issuedSeconds = Math.floor(this.#host.clock.wallMs(nowMs) / 1000)
    const nonce = randomBytes(NONCE_BYTES)
    const bound = credential.isForAddress ? address : undefined
    const text = sealGrant({ user, address: bound, issuedSeconds }, { key: this.#host.key, nonce })
    return this.#add({ id: nonce.toString('base64url'), text, user, address: bound, origin }, address)
  }

  /** The grant of this text, if it is valid: this is a use of it. `address`: where the request comes from. */
  find(text: string, address: string): Grant | undefined {
    const opened = openGrant(text, this.#host.key)
    if (opened === undefined || (opened.address ?? address) !== address) return undefined
    const nowMs = this.#host.clock.nowMs()
    const known = this.#byId.get(opened.id)
    if (known !== undefined) {
      this.#use(known, nowMs)
      return known
    }
    // It has been idle for too long, or the process before has given it.
    const ageSeconds = this.#host.clock.wallMs(nowMs) / 1000 - opened.issuedSeconds
    const isRecent = Math.abs(ageSeconds) <= LONGEST_RESUMED_SECONDS
    if (!isRecent || nowMs - this.#startedMs > RESUME_MS) return undefined
    return this.#add({ ...opened, text, origin: `resumed ${opened.id}` }, address)
  }

  /**
   * The grant that this very request has been given before, while it is valid: the link may have expired since. Players
   * that take no notice of redirects ask for it again and again. `presented`: the credentials, as one text.
   */
  again(presented: string, address: string): Grant | undefined {
    const grant = this.#byRequest.get(this.#digest(presented, address))
    if (grant !== undefined) this.#use(grant, this.#host.clock.nowMs())
    return grant
  }

  /** `again` finds the grant for these credentials, until it is given for others. */
  remember(grant: Grant, presented: string, address: string): void {
    const request = this.#digest(presented, address)
    if (grant.request === request) return
    if (grant.request !== undefined) this.#byRequest.delete(grant.request)
    grant.request = request
    this.#byRequest.set(request, grant)
  }

  /** Call it now and then. */
  expire(): void {
    const untilMs = this.#host.clock.nowMs() - Math.max(IDLE_MS, this.quietMs)
    for (const grant of this.#byId.values()) {
      if (grant.usedMs > untilMs) return
      this.#remove(grant)
    }
  }

  #digest(presented: string, address: string): string {
    return createHmac('sha256', this.#host.key).update(`${address} ${presented}`).digest('base64')
  }

  #use(grant: Grant, nowMs: number): void {
    grant.usedMs = nowMs
    this.#byId.delete(grant.id)
    this.#byId.set(grant.id, grant)
    const network = this.#networks.get(grant.network)
    network?.delete(grant)
    network?.add(grant)
  }

  #add({ id, text, user, address, origin }: GivenGrant, from: string): Grant | undefined {
    this.expire()
    const usedMs = this.#host.clock.nowMs()
    const grant: Grant = { id, text, user, address, origin, network: networkOf(from), usedMs, request: undefined }
    const network = this.#networks.get(grant.network) ?? new Set<Grant>()
    if (!this.#hasRoom(network, MOST_OF_NETWORK) || !this.#hasRoom(this.#byId, MOST)) return undefined
    // What the search for room has removed may have been the last of its network.
    this.#networks.set(grant.network, network)
    network.add(grant)
    this.#byId.set(grant.id, grant)
    this.#byOrigin.set(grant.origin, grant)
    return grant
  }

  /** Viewers who are gone make room, in the order in which they left. */
  #hasRoom(kept: ReadonlySet<Grant> | ReadonlyMap<string, Grant>, most: number): boolean {
    if (kept.size < most) return true
    const [oldest] = kept.values()
    if (oldest === undefined || this.#host.clock.nowMs() - oldest.usedMs <= this.quietMs) return false
    this.#remove(oldest)
    return true
  }

  #remove(grant: Grant): void {
    this.#byId.delete(grant.id)
    if (this.#byOrigin.get(grant.origin) === grant) this.#byOrigin.delete(grant.origin)
    if (grant.request !== undefined && this.#byRequest.get(grant.request) === grant)
      this.#byRequest.delete(grant.request)
    const network = this.#networks.get(grant.network)
    network?.delete(grant)
    if (network?.size === 0) this.#networks.delete(grant.network)
  }
}
