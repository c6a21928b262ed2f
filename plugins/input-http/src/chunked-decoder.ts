// The chunked transfer coding, RFC 9112 section 7.1. Extensions and trailers are ignored. Servers that send tiny chunks must
// not cost more than others: their bytes are passed on together.
import { Buffer } from 'node:buffer'
import type { BodyDecoder } from './body-decoder.js'
import { httpError } from './http-errors.js'
import type { Leniency } from './leniency.js'
import { showText } from './show-text.js'

const LF = 0x0a
const CR = 0x0d
const MAX_PLAIN_DIGITS = 8
const MAX_LINE_BYTES = 4096
/** Bytes of a line that are kept: a size; extensions behind it are not. */
const KEPT_BYTES = 64
const MAX_EMPTY_LINES = 16
/** Shorter parts of a body are collected. */
const SHORT_PART_BYTES = 4096
const STRICT_SIZE = /^([0-9a-f]{1,13})(?:;.*)?\r$/i
const SIZE = /^[ \t]*(?:0x)?0*([0-9a-f]{1,13})[ \t]*(?:[;\r ]|$)/i
const EMPTY = /^[ \t\r]*$/

export class ChunkedDecoder implements BodyDecoder {
  readonly endsWithConnection = false
  readonly #leniency: Leniency
  readonly #line = Buffer.alloc(KEPT_BYTES)
  #lineLength = 0
  /** Of the current chunk. */
  #leftBytes = 0
  /** The line behind the bytes of a chunk, which is empty, is due. */
  #awaitsEmptyLine = false
  #emptyLines = 0
  #isComplete = false

  constructor(leniency: Leniency) {
    this.#leniency = leniency
  }

  get isComplete(): boolean {
    return this.#isComplete
  }

  /** Throws HTTP_BROKEN, HTTP_BAD_ANSWER, after it has passed on what precedes the fault. */
  push(bytes: Uint8Array, onBytes: (part: Uint8Array) => void): void {
    const collected = new ShortParts(bytes.length, onBytes)
    try {
      this.#decode(bytes, collected)
    } finally {
      collected.flush()
    }
  }

  #decode(bytes: Uint8Array, body: ShortParts): void {
    let at = 0
    while (at < bytes.length && !this.#isComplete) {
      if (this.#leftBytes > 0) {
        const part = bytes.subarray(at, at + this.#leftBytes)
        this.#leftBytes -= part.length
        at += part.length
        this.#awaitsEmptyLine = this.#leftBytes === 0
        body.add(part)
        continue
      }
      const plain = this.#lineLength === 0 ? this.#takePlainLine(bytes, at) : 0
      at += plain
      if (plain > 0) continue
      const byte = bytes[at++] ?? LF
      if (byte === LF) this.#endLine()
      else this.#keep(byte)
    }
  }

  /** A valid line that is there as a whole, without making text of it. Returns its length, or 0. */
  #takePlainLine(bytes: Uint8Array, start: number): number {
    let at = start
    let size = 0
    for (let digit = hexDigit(bytes[at]); digit >= 0 && at - start < MAX_PLAIN_DIGITS; digit = hexDigit(bytes[at])) {
      size = size * 16 + digit
      at++
    }
    const isEmpty = at === start
    if (isEmpty !== this.#awaitsEmptyLine || bytes[at] !== CR || bytes[at + 1] !== LF) return 0
    this.#awaitsEmptyLine = false
    if (!isEmpty) this.#begin(size)
    return at + 2 - start
  }

  #keep(byte: number): void {
    if (this.#lineLength >= MAX_LINE_BYTES) throw broken(`a chunk size of more than ${MAX_LINE_BYTES} bytes`)
    if (this.#lineLength < KEPT_BYTES) this.#line[this.#lineLength] = byte
    this.#lineLength++
  }

  #endLine(): void {
    // A long extension hides the end of its line.
    const isWhole = this.#lineLength <= KEPT_BYTES
    const line = `${this.#line.toString('latin1', 0, Math.min(this.#lineLength, KEPT_BYTES))}${isWhole ? '' : ';\r'}`
    this.#lineLength = 0
    const wasDue = this.#awaitsEmptyLine
    this.#awaitsEmptyLine = false
    if (line === '\r' && wasDue) return
    if (EMPTY.test(line)) this.#takeEmptyLine()
    else this.#takeSize(line, wasDue)
  }

  #takeEmptyLine(): void {
    this.#leniency.excuse('chunk-line')
    if (++this.#emptyLines > MAX_EMPTY_LINES) throw broken('empty lines instead of a chunk')
  }

  #takeSize(line: string, isLineMissing: boolean): void {
    if (isLineMissing) this.#leniency.excuse('chunk-line')
    const strict = STRICT_SIZE.exec(line)
    const size = strict ?? SIZE.exec(line)
    if (size === null) throw broken(`not a chunk size: ${showText(line.trim())}`)
    if (strict === null) this.#leniency.excuse(/^[0-9a-f]+(;.*)?$/i.test(line) ? 'chunk-line' : 'chunk-size')
    this.#begin(Number.parseInt(size[1] ?? '', 16))
  }

  #begin(size: number): void {
    this.#emptyLines = 0
    this.#leftBytes = size
    this.#isComplete = size === 0
  }
}

/** Passes parts on, short ones together. */
class ShortParts {
  readonly #mostBytes: number
  readonly #onBytes: (part: Uint8Array) => void
  #held: Uint8Array | undefined
  #filled = 0

  /** `mostBytes`: of all parts together. */
  constructor(mostBytes: number, onBytes: (part: Uint8Array) => void) {
    this.#mostBytes = mostBytes
    this.#onBytes = onBytes
  }

  add(part: Uint8Array): void {
    if (part.length >= SHORT_PART_BYTES) {
      this.flush()
      this.#onBytes(part)
      return
    }
    this.#held ??= new Uint8Array(this.#mostBytes)
    this.#held.set(part, this.#filled)
    this.#filled += part.length
  }

  flush(): void {
    const part = this.#held?.subarray(0, this.#filled)
    this.#held = undefined
    this.#filled = 0
    if (part !== undefined && part.length > 0) this.#onBytes(part)
  }
}

/** -1 if it is none. */
function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function broken(detail: string): Error {
  return httpError('HTTP_BROKEN', `the stream was interrupted: ${detail}`)
}
