// The secret of a connection as its handshake left it: where the keys of both directions start from.
import { randomBytes } from 'node:crypto'
import { SALT_BYTES, wrapKeys } from './key-material.js'
import type { KeyMaterial, StreamKeys } from './key-material.js'

export interface SessionKeys {
  readonly kek: Uint8Array
  readonly salt: Uint8Array
  /** At least one of them. */
  readonly keys: StreamKeys
}

/** Returns a salt for the keys of a caller. */
export function makeSalt(): Uint8Array {
  return randomBytes(SALT_BYTES)
}

/** Returns fresh keys for a caller, with the even slot filled, and the message that tells the peer. */
export function makeSessionKeys(kek: Uint8Array, salt: Uint8Array): { session: SessionKeys; material: KeyMaterial } {
  const keys = { even: randomBytes(kek.length) }
  return { session: { kek, salt, keys }, material: wrapKeys(keys, salt, kek) }
}
