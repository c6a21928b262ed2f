// Key material messages (draft-sharabayko-srt-01, section 3.2.2) and the keys in them: one or two stream encrypting keys
// (SEK), wrapped by RFC 3394 with a key (KEK) derived from the passphrase and the salt.
import { createCipheriv, createDecipheriv, pbkdf2, pbkdf2Sync } from 'node:crypto'
import { KEY, readU16, writeU16 } from '../packet/header.js'

export type KeyLength = 16 | 24 | 32
export const SALT_BYTES = 16

/** Version 1, packet type 2 (key material). */
const VERSION_AND_TYPE = 0x12
const SIGN = 0x2029
const CIPHER = { ctr: 2, gcm: 4 } as const
/** Stream encapsulation: SRT. */
const ENCAPSULATION_SRT = 2
const FIXED_BYTES = 16
const WRAPPED_AT = FIXED_BYTES + SALT_BYTES
/** RFC 3394 adds a block. */
const WRAP_BYTES = 8
const WRAP_IV = new Uint8Array(8).fill(0xa6)
const ITERATIONS = 2048
/** The KEK is derived with the last half of the salt. */
const KEK_SALT_AT = 8

export interface KeyMaterial {
  /** Which keys are in it: KEY.even, KEY.odd or KEY.both. */
  readonly key: number
  readonly keyLength: KeyLength
  readonly salt: Uint8Array
  readonly wrapped: Uint8Array
}

/** Keys by slot. */
export interface StreamKeys {
  readonly even?: Uint8Array
  readonly odd?: Uint8Array
}

/** Returns why a message can't be used instead of the key material: `gcm` if it asks for AES-GCM. */
export function parseKeyMaterial(message: Uint8Array): KeyMaterial | 'damaged' | 'gcm' {
  if (message.length < WRAPPED_AT + WRAP_BYTES || message[0] !== VERSION_AND_TYPE) return 'damaged'
  if (readU16(message, 1) !== SIGN) return 'damaged'
  const key = message[3]! & 3
  const keyLength = message[15]! * 4
  if (key === KEY.none || message[14] !== SALT_BYTES / 4 || !isKeyLength(keyLength)) return 'damaged'
  if (message[8] === CIPHER.gcm) return 'gcm'
  if (message[8] !== CIPHER.ctr || message[10] !== ENCAPSULATION_SRT) return 'damaged'
  const size = (key === KEY.both ? 2 : 1) * keyLength + WRAP_BYTES
  if (message.length < WRAPPED_AT + size) return 'damaged'
  return {
    key,
    keyLength,
    salt: message.slice(FIXED_BYTES, WRAPPED_AT),
    wrapped: message.slice(WRAPPED_AT, WRAPPED_AT + size),
  }
}

function isKeyLength(length: number): length is KeyLength {
  return length === 16 || length === 24 || length === 32
}

export function renderKeyMaterial({ key, keyLength, salt, wrapped }: KeyMaterial): Uint8Array {
  const message = new Uint8Array(WRAPPED_AT + wrapped.length)
  message[0] = VERSION_AND_TYPE
  writeU16(message, 1, SIGN)
  message[3] = key
  message[8] = CIPHER.ctr
  message[10] = ENCAPSULATION_SRT
  message[14] = SALT_BYTES / 4
  message[15] = keyLength / 4
  message.set(salt, FIXED_BYTES)
  message.set(wrapped, WRAPPED_AT)
  return message
}

/** Returns the keys, or undefined if the KEK is a wrong one. */
export function unwrapKeys(material: KeyMaterial, kek: Uint8Array): StreamKeys | undefined {
  if (kek.length !== material.keyLength) return undefined
  let plain: Uint8Array
  try {
    const decipher = createDecipheriv(`id-aes${kek.length * 8}-wrap`, kek, WRAP_IV)
    plain = Buffer.concat([decipher.update(material.wrapped), decipher.final()])
  } catch {
    return undefined
  }
  const first = plain.subarray(0, material.keyLength)
  if (material.key === KEY.both) return { even: first, odd: plain.subarray(material.keyLength) }
  return material.key === KEY.even ? { even: first } : { odd: first }
}

/** Returns key material that holds these keys. */
export function wrapKeys({ even, odd }: StreamKeys, salt: Uint8Array, kek: Uint8Array): KeyMaterial {
  const cipher = createCipheriv(`id-aes${kek.length * 8}-wrap`, kek, WRAP_IV)
  const plain = [even, odd].filter((key) => key !== undefined)
  const wrapped = Buffer.concat([cipher.update(Buffer.concat(plain)), cipher.final()])
  const key = (even === undefined ? 0 : KEY.even) | (odd === undefined ? 0 : KEY.odd)
  if (!isKeyLength(kek.length)) throw new RangeError(`a key of ${kek.length} bytes: 16, 24 or 32`)
  return { key, keyLength: kek.length, salt, wrapped }
}

/** Derives the key encrypting key. It takes some milliseconds of another thread. */
export function deriveKek(passphrase: string, salt: Uint8Array, keyLength: KeyLength): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    pbkdf2(passphrase, salt.subarray(KEK_SALT_AT), ITERATIONS, keyLength, 'sha1', (error, kek) =>
      error === null ? resolve(kek) : reject(error),
    )
  })
}

/** The same in this thread: it stops all else for some milliseconds. */
export function deriveKekSync(passphrase: string, salt: Uint8Array, keyLength: KeyLength): Uint8Array {
  return pbkdf2Sync(passphrase, salt.subarray(KEK_SALT_AT), ITERATIONS, keyLength, 'sha1')
}
