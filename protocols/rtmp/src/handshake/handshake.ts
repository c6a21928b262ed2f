// The handshake (RTMP 1.0, clause 5.2), of a server and of a client, from bytes in pieces. A block with a digest is
// answered with a digest, any other is echoed. What the peer answers is never trusted or needed.
import { findDigest, HANDSHAKE_BYTES, makeBlock, makeSignedAnswer, VERSION } from './digest.js'

const SERVER_VERSION = 0x04_00_00_01
const CLIENT_VERSION = 0x09_00_7c_02
/** Printable ASCII as a first byte is another protocol: HTTP, TLS has 0x16. */
const ENCRYPTED_VERSION = 6

interface HandshakeStep {
  /** To be sent in one piece; empty if there is nothing. */
  readonly answer: Uint8Array
  /** How many of the bytes belong to the handshake. */
  readonly taken: number
}

const NOTHING: Uint8Array = new Uint8Array()

abstract class Handshake {
  isDone = false
  /** The peer speaks another protocol. */
  isForeign = false
  #collected: Uint8Array = new Uint8Array(1 + 2 * HANDSHAKE_BYTES)
  #length = 0

  push(bytes: Uint8Array, nowMs: number): HandshakeStep {
    let [answer, taken] = [NOTHING, 0]
    while (taken < bytes.length && !this.isDone && !this.isForeign) {
      const piece = bytes.subarray(taken, taken + this.target() - this.#length)
      this.#collected.set(piece, this.#length)
      this.#length += piece.length
      taken += piece.length
      if (this.#collected[0] !== VERSION) this.isForeign = this.isUnknown(this.#collected[0]!)
      if (this.isForeign || this.#length < this.target()) continue
      const next = this.reached(this.#collected.subarray(0, this.#length), nowMs)
      if (next.length > 0) answer = next
    }
    if (this.isDone) this.#collected = NOTHING
    return { answer, taken }
  }

  /** How many bytes are needed for the next step. */
  protected abstract target(): number
  /** They have come. Returns the answer. */
  protected abstract reached(collected: Uint8Array, nowMs: number): Uint8Array
  protected abstract isUnknown(version: number): boolean
}

export class ServerHandshake extends Handshake {
  #hasAnswered = false

  protected target(): number {
    return 1 + (this.#hasAnswered ? 2 : 1) * HANDSHAKE_BYTES
  }

  protected reached(collected: Uint8Array, nowMs: number): Uint8Array {
    if (this.#hasAnswered) {
      this.isDone = true
      return NOTHING
    }
    this.#hasAnswered = true
    const block = collected.subarray(1, 1 + HANDSHAKE_BYTES)
    const found = findDigest(block, 'player')
    const s1 = makeBlock(nowMs, found ? SERVER_VERSION : 0, found && { side: 'server', schema: found.schema })
    const s2 = found === undefined ? block : makeSignedAnswer(found.digest, 'server')
    return Buffer.concat([Uint8Array.of(VERSION), s1, s2])
  }

  /** Clause 5.2.2: a server answers 3 to versions that it does not know; what is no version is refused. */
  protected isUnknown(version: number): boolean {
    return version === 0 || version >= ENCRYPTED_VERSION
  }
}

export class ClientHandshake extends Handshake {
  #hasAnswered = false

  /** C0 and C1. */
  start(nowMs: number): Uint8Array {
    const c1 = makeBlock(nowMs, CLIENT_VERSION, { side: 'player', schema: 0 })
    return Buffer.concat([Uint8Array.of(VERSION), c1])
  }

  protected target(): number {
    return 1 + (this.#hasAnswered ? 2 : 1) * HANDSHAKE_BYTES
  }

  protected reached(collected: Uint8Array): Uint8Array {
    if (this.#hasAnswered) {
      this.isDone = true
      return NOTHING
    }
    this.#hasAnswered = true
    const block = collected.subarray(1, 1 + HANDSHAKE_BYTES)
    const found = findDigest(block, 'server')
    return found === undefined ? block.slice() : makeSignedAnswer(found.digest, 'player')
  }

  protected isUnknown(): boolean {
    return true
  }
}
