// The text of a grant: who was admitted and when, sealed with a key that only this output has (AES-256-GCM, NIST SP
// 800-38D). Nobody else can make one or read one, and it needs no list of all grants that were ever given.
import { createCipheriv, createDecipheriv } from 'node:crypto'

export const KEY_BYTES = 32
export const NONCE_BYTES = 12
const TAG_BYTES = 16
const TIME_BYTES = 5
const CIPHER = 'aes-256-gcm'
/** That of a user's name of 255 characters, and more. */
const LONGEST = 1500
const BASE64URL = /^[A-Za-z0-9_-]+$/

export interface SealedGrant {
  /** Tells it from all others. */
  readonly id: string
  readonly user: string | undefined
  /** The only one that may use it; undefined: any may. */
  readonly address: string | undefined
  /** Unix time. */
  readonly issuedSeconds: number
}

/** `nonce`: random, used once; the id of the grant comes from it. */
export function sealGrant(
  { user, address, issuedSeconds }: Omit<SealedGrant, 'id'>,
  { key, nonce }: { readonly key: Uint8Array; readonly nonce: Uint8Array },
): string {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeUIntBE(Math.min(Math.max(0, issuedSeconds), 2 ** (8 * TIME_BYTES) - 1), 0, TIME_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  const sealed = [
    cipher.update(time),
    cipher.update(JSON.stringify([user ?? null, address ?? null]), 'utf8'),
    cipher.final(),
  ]
  return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]).toString('base64url')
}

/** Undefined unless it was sealed with this key. Never throws. */
export function openGrant(text: string, key: Uint8Array): SealedGrant | undefined {
  if (text.length > LONGEST || !BASE64URL.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  const from = NONCE_BYTES + TAG_BYTES
  // Other texts stand for the same bytes: one grant has one text.
  if (bytes.length < from + TIME_BYTES || bytes.toString('base64url') !== text) return undefined
  const nonce = bytes.subarray(0, NONCE_BYTES)
  try {
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, from))
    const opened = Buffer.concat([decipher.update(bytes.subarray(from)), decipher.final()])
    const [user, address] = JSON.parse(opened.toString('utf8', TIME_BYTES)) as readonly (string | null)[]
    return {
      id: nonce.toString('base64url'),
      ...{ user: user ?? undefined, address: address ?? undefined },
      issuedSeconds: opened.readUIntBE(0, TIME_BYTES),
    }
  } catch {
    // Another key, or not one of ours.
    return undefined
  }
}
