// AES in counter mode over the payload of one packet (draft-sharabayko-srt-01, section 6.2). Encrypting and decrypting
// are the same. Nothing protects the payload against changes: counter mode has no integrity.
//
// The key stream is made as what counter mode is, AES of the counters, by one cipher for all packets. A cipher of node:crypto
// for each packet costs more than twice as much, and the garbage collector stands still for as long again to free them.
import { createCipheriv } from 'node:crypto'
import type { Cipher } from 'node:crypto'

const BLOCK_BYTES = 16
const NONCE_BYTES = 14
const SEQUENCE_AT = 10
const COUNTER_AT = 14
/** Those of a payload of 1456 bytes; the table grows for larger ones. */
const USUAL_BLOCKS = 91

export class PayloadCipher {
  readonly key: Uint8Array
  readonly #cipher: Cipher
  readonly #salt: Uint8Array
  /** Salt and counter of each block; the sequence number is put in for each packet. */
  #counters: Uint8Array

  constructor(key: Uint8Array, salt: Uint8Array) {
    this.key = key
    this.#cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false)
    this.#salt = salt
    this.#counters = countersOf(salt, USUAL_BLOCKS)
  }

  /** Returns the payload of the packet with this sequence number encrypted, or decrypted, in new memory. */
  apply(payload: Uint8Array, sequence: number): Uint8Array {
    const bytes = Math.ceil(payload.length / BLOCK_BYTES) * BLOCK_BYTES
    if (bytes > this.#counters.length) this.#counters = countersOf(this.#salt, bytes / BLOCK_BYTES)
    this.#number(sequence, bytes)
    const result = this.#cipher.update(this.#counters.subarray(0, bytes))
    combine(result, payload)
    return result.subarray(0, payload.length)
  }

  #number(sequence: number, bytes: number): void {
    const [counters, salt] = [this.#counters, this.#salt]
    const first = salt[SEQUENCE_AT]! ^ (sequence >>> 24)
    const second = salt[SEQUENCE_AT + 1]! ^ ((sequence >>> 16) & 0xff)
    const third = salt[SEQUENCE_AT + 2]! ^ ((sequence >>> 8) & 0xff)
    const fourth = salt[SEQUENCE_AT + 3]! ^ (sequence & 0xff)
    for (let at = SEQUENCE_AT; at < bytes; at += BLOCK_BYTES) {
      counters[at] = first
      counters[at + 1] = second
      counters[at + 2] = third
      counters[at + 3] = fourth
    }
  }
}

function countersOf(salt: Uint8Array, blocks: number): Uint8Array {
  const counters = new Uint8Array(blocks * BLOCK_BYTES)
  for (let block = 0; block < blocks; block++) {
    const at = block * BLOCK_BYTES
    counters.set(salt.subarray(0, NONCE_BYTES), at)
    counters[at + COUNTER_AT] = block >>> 8
    counters[at + COUNTER_AT + 1] = block & 0xff
  }
  return counters
}

/** Both by exclusive or, into the first one; four bytes at a time where they lie so. */
function combine(into: Uint8Array, payload: Uint8Array): void {
  const isAligned = ((into.byteOffset | payload.byteOffset) & 3) === 0
  const words = isAligned ? payload.length >>> 2 : 0
  if (words > 0) {
    const target = new Int32Array(into.buffer, into.byteOffset, words)
    const source = new Int32Array(payload.buffer, payload.byteOffset, words)
    for (let at = 0; at < words; at++) target[at] = target[at]! ^ source[at]!
  }
  for (let at = words * 4; at < payload.length; at++) into[at] = into[at]! ^ payload[at]!
}
