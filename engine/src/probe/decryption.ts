// Decrypts segments with METHOD=AES-128, as players do: draft-pantos-hls-rfc8216bis 4.4.4.4 and 5.2.
import { createDecipheriv } from 'node:crypto'
import type { Key } from '@millrace/media/hls'

export const BLOCK_BYTES = 16
const ALGORITHM = 'aes-128-cbc'

/** It is encrypted, and its key is a file. */
export function isDecryptable(key: Key | undefined): key is Key {
  return key?.method === 'AES-128' && key.format === 'identity' && key.uri !== undefined
}

/** Of a segment without an explicit IV: its media sequence number. */
export function ivOf({ iv }: Key, sequence: number): Uint8Array {
  if (iv !== undefined) return Buffer.from(iv, 'hex')
  const bytes = Buffer.alloc(BLOCK_BYTES)
  bytes.writeBigUInt64BE(BigInt(sequence), BLOCK_BYTES - 8)
  return bytes
}

/** A whole segment. A text says why that is not possible. */
export function decryptSegment(bytes: Uint8Array, key: Uint8Array, iv: Uint8Array): Uint8Array | string {
  if (bytes.length === 0 || bytes.length % BLOCK_BYTES !== 0) {
    return `${bytes.length} bytes are no whole blocks of ${BLOCK_BYTES}`
  }
  const cipher = createDecipheriv(ALGORITHM, key, iv)
  try {
    return Buffer.concat([cipher.update(bytes), cipher.final()])
  } catch {
    return 'the padding is wrong: another key or IV, or damaged'
  }
}

export interface Blocks {
  /** Offset of the first byte that has to be loaded: the block in front of the range is its IV. */
  readonly from: number
  readonly to: number
}

/** What has to be loaded for a range of an encrypted resource. */
export function blocksOf(offset: number, length: number): Blocks {
  const first = offset - (offset % BLOCK_BYTES)
  return { from: Math.max(0, first - BLOCK_BYTES), to: Math.ceil((offset + length) / BLOCK_BYTES) * BLOCK_BYTES }
}

export interface EncryptedRange {
  readonly offset: number
  readonly length: number
  /** The blocks of `blocksOf`. */
  readonly bytes: Uint8Array
  /** Of the resource. */
  readonly iv: Uint8Array
}

/** The range, without the blocks around it. */
export function decryptRange({ offset, length, bytes, iv }: EncryptedRange, key: Uint8Array): Uint8Array {
  const isFirst = offset < BLOCK_BYTES
  const inFront = isFirst ? iv : bytes.subarray(0, BLOCK_BYTES)
  const cipher = createDecipheriv(ALGORITHM, key, inFront).setAutoPadding(false)
  const whole = bytes.subarray(isFirst ? 0 : BLOCK_BYTES)
  const clear = cipher.update(whole.subarray(0, whole.length - (whole.length % BLOCK_BYTES)))
  const skipped = offset % BLOCK_BYTES
  return clear.subarray(skipped, skipped + length)
}
