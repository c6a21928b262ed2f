// The keys of the direction that we send, and their refresh (draft-sharabayko-srt-01, section 6.1.6): some packets before
// the switch the next key is announced, repeated until the peer confirms it; without that we never switch.
import { randomBytes } from 'node:crypto'
import { KEY } from '../packet/header.js'
import { renderKeyMaterial, wrapKeys } from './key-material.js'
import { PayloadCipher } from './payload-cipher.js'
import type { SessionKeys } from './session-keys.js'

/** Refresh after that many packets, and announce the next key that many packets before. */
export interface KeyRefresh {
  readonly everyPackets: number
  readonly announcePackets: number
  /** No key encrypts more packets: with the sequence number of an earlier one, the key stream would repeat. */
  readonly mostPackets?: number
}

export const KEY_REFRESH: KeyRefresh = { everyPackets: 1 << 24, announcePackets: 1 << 12 }
/** Fewer than there are sequence numbers (2^31) by what may be sent until the connection has ended. */
const MOST_PACKETS = 2 ** 31 - 2 ** 20

/** A round trip and a half; at most once in this time where the round trip is short. */
const LEAST_REPEAT_US = 20_000
/** After so many the time doubles: the peer does not answer. */
const QUICK_REPEATS = 64
const MOST_REPEAT_US = 1_000_000

type SlotKey = typeof KEY.even | typeof KEY.odd

export class SendKeys {
  readonly #kek: Uint8Array
  readonly #salt: Uint8Array
  readonly #refresh: KeyRefresh
  readonly #ciphers: { [KEY.even]: PayloadCipher | undefined; [KEY.odd]: PayloadCipher | undefined }
  #active: SlotKey
  /** Packets encrypted with the active key. */
  #used = 0
  /** First packet that is encrypted with the active key. */
  #activeSince = -Infinity
  /** The message that announces the next key, until it is confirmed. */
  #announcement: Uint8Array | undefined
  #isConfirmed = false
  #announcedUs = -Infinity
  /** How often it was sent. */
  #announcements = 0

  constructor({ kek, salt, keys }: SessionKeys, refresh: KeyRefresh) {
    this.#kek = kek
    this.#salt = salt
    this.#refresh = refresh
    this.#active = keys.even === undefined ? KEY.odd : KEY.even
    const cipher = new PayloadCipher(keys.even ?? keys.odd ?? randomBytes(kek.length), salt)
    this.#ciphers = { [KEY.even]: undefined, [KEY.odd]: undefined, [this.#active]: cipher }
  }

  /**
   * Returns the key flags for the new packet `index`. `oldest`: the oldest packet that may be sent again; the slot of
   * a key that such a packet needs is not refilled.
   */
  nextKey(index: number, oldest: number): SlotKey {
    this.#used++
    if (this.#used > this.#refresh.everyPackets && this.#isConfirmed) this.#switch(index)
    else if (this.#used > this.#refresh.everyPackets - this.#refresh.announcePackets) this.#announce(oldest)
    return this.#active
  }

  /** The peer has never confirmed the next key, and this one must not be used for longer. */
  get isExhausted(): boolean {
    return this.#used >= (this.#refresh.mostPackets ?? MOST_PACKETS)
  }

  encrypt(payload: Uint8Array, key: number, sequence: number): Uint8Array | undefined {
    return this.#ciphers[key === KEY.even ? KEY.even : KEY.odd]?.apply(payload, sequence)
  }

  /** Returns a message to send now, if there is one. */
  dueAnnouncement(nowUs: number, rttUs: number): Uint8Array | undefined {
    if (nowUs < this.deadlineUs(rttUs)) return undefined
    this.#announcedUs = nowUs
    this.#announcements++
    return this.#announcement
  }

  deadlineUs(rttUs: number): number {
    if (this.#announcement === undefined) return Infinity
    const repeatUs = Math.max(LEAST_REPEAT_US, rttUs * 1.5)
    const slowlyUs = repeatUs * 2 ** Math.max(0, this.#announcements - QUICK_REPEATS)
    return this.#announcedUs + Math.max(repeatUs, Math.min(slowlyUs, MOST_REPEAT_US))
  }

  /** Called with the answer of the peer: an echo of the message confirms it. */
  confirm(response: Uint8Array): void {
    const sent = this.#announcement
    if (sent === undefined || response.length < sent.length || !sent.every((byte, at) => byte === response[at])) return
    this.#announcement = undefined
    this.#isConfirmed = true
  }

  #announce(oldest: number): void {
    if (this.#announcement !== undefined || this.#isConfirmed || oldest < this.#activeSince) return
    const next = this.#active === KEY.even ? KEY.odd : KEY.even
    const cipher = new PayloadCipher(randomBytes(this.#kek.length), this.#salt)
    this.#ciphers[next] = cipher
    const even = this.#ciphers[KEY.even]
    const odd = this.#ciphers[KEY.odd]
    const keys = { ...(even && { even: even.key }), ...(odd && { odd: odd.key }) }
    this.#announcement = renderKeyMaterial(wrapKeys(keys, this.#salt, this.#kek))
    this.#announcedUs = -Infinity
    this.#announcements = 0
  }

  #switch(index: number): void {
    this.#active = this.#active === KEY.even ? KEY.odd : KEY.even
    this.#activeSince = index
    this.#used = 1
    this.#isConfirmed = false
  }
}
