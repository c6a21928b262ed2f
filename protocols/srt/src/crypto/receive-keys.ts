// The keys of the direction that we receive, and their refresh by the peer. A key is taken only if it unwraps, was never
// superseded before (a replayed message would roll keys back), and its slot is not the one in use.
import { KEY } from '../packet/header.js'
import { parseKeyMaterial, unwrapKeys } from './key-material.js'
import { PayloadCipher } from './payload-cipher.js'
import type { SessionKeys } from './session-keys.js'

/** What a peer is told about key material that we can't take (SRT_KM_STATE). */
export const KM_STATE = { noSecret: 3, badSecret: 4 } as const
/** How many superseded keys are remembered. */
const MAX_SUPERSEDED = 256

type Slot = 'even' | 'odd'

export class ReceiveKeys {
  /** New keys that were taken; repetitions of a message do not count. */
  refreshes = 0
  readonly #kek: Uint8Array
  readonly #salt: Uint8Array
  readonly #ciphers: { even: PayloadCipher | undefined; odd: PayloadCipher | undefined }
  readonly #superseded: Uint8Array[] = []
  #inUse: Slot

  constructor({ kek, salt, keys }: SessionKeys) {
    this.#kek = kek
    this.#salt = salt
    this.#ciphers = { even: cipherOf(keys.even, salt), odd: cipherOf(keys.odd, salt) }
    this.#inUse = keys.even === undefined ? 'odd' : 'even'
  }

  /** Returns the payload, or undefined if there is no key in the slot. `isNewest`: no later packet has come. */
  decrypt(payload: Uint8Array, key: number, sequence: number, isNewest: boolean): Uint8Array | undefined {
    const slot = key === KEY.even ? 'even' : 'odd'
    const cipher = key === KEY.both ? undefined : this.#ciphers[slot]
    if (cipher === undefined) return undefined
    if (isNewest) this.#inUse = slot
    return cipher.apply(payload, sequence)
  }

  /** Takes key material that came in a control packet. Returns true if it is to be confirmed. */
  refresh(message: Uint8Array): boolean {
    const material = parseKeyMaterial(message)
    if (typeof material === 'string' || !isEqual(material.salt, this.#salt)) return false
    const keys = unwrapKeys(material, this.#kek)
    if (keys === undefined) return false
    const other = this.#inUse === 'even' ? 'odd' : 'even'
    const current = keys[this.#inUse]
    // The key in use is repeated beside the new one: if it differs, the message is an old one.
    if (current !== undefined && !this.#holds(this.#inUse, current)) return false
    const next = keys[other]
    if (next === undefined || this.#holds(other, next)) return true
    if (this.#superseded.some((key) => isEqual(key, next))) return false
    this.#replace(other, next)
    this.refreshes++
    return true
  }

  #holds(slot: Slot, key: Uint8Array): boolean {
    const cipher = this.#ciphers[slot]
    return cipher !== undefined && isEqual(cipher.key, key)
  }

  #replace(slot: Slot, key: Uint8Array): void {
    const old = this.#ciphers[slot]
    if (old !== undefined) this.#superseded.push(old.key)
    if (this.#superseded.length > MAX_SUPERSEDED) this.#superseded.shift()
    this.#ciphers[slot] = new PayloadCipher(key, this.#salt)
  }
}

function cipherOf(key: Uint8Array | undefined, salt: Uint8Array): PayloadCipher | undefined {
  return key === undefined ? undefined : new PayloadCipher(key, salt)
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
