// Reads the head of the first request from a new connection, before any other code sees it. Bounded in bytes and in
// time; bytes that can no longer become a head are refused at the first offending byte, not at the timeout.
import type { Socket } from 'node:net'
import type { Clock } from '../plugin/tokens.js'
import type { BadHead } from './request-head.js'

const NUL = 0x00
const LF = 0x0a
const CR = 0x0d
/** RFC 8446 5.1: the record type of a handshake, with which TLS begins. */
const TLS_HANDSHAKE = 0x16

/** Empty lines in front of a request that are passed over (RFC 9112 2.2), in bytes. */
const MAX_LEADING_BYTES = 8

/** The last byte was: inside a line; the CR of a line; the LF that ended it; the CR of the empty line. */
const IN_LINE = 0
const AFTER_CR = 1
const AT_LINE_START = 2
const AFTER_EMPTY_CR = 3

export interface HeadReaderOptions {
  readonly clock: Clock
  /** Largest head, including the empty line. */
  readonly maxBytes: number
  /** From the connection to the end of the head. */
  readonly timeoutMs: number
  /**
   * Called once, inside the socket's `data` event or `push`. `head` ends with the empty line, `rest` is what followed
   * it. Lines end with CR LF or with LF alone; empty lines in front of the request are left out.
   */
  onHead(head: Buffer, rest: Buffer): void
  /** Called once, instead of `onHead`. `incomplete`: the client has gone or has closed its side. */
  onBad(reason: BadHead): void
}

export class HeadReader {
  readonly #socket: Socket
  readonly #options: HeadReaderOptions
  readonly #timer: Disposable
  /** Only for a head that arrives in pieces. */
  #collected: Buffer | undefined
  #length = 0
  #leading = 0
  #state = IN_LINE

  /** Attaches its listeners at once and removes them before it calls back. */
  constructor(socket: Socket, options: HeadReaderOptions) {
    this.#socket = socket
    this.#options = options
    this.#timer = options.clock.after(options.timeoutMs, () => this.#refuse('timeout'))
    socket.on('data', this.#onData)
    socket.on('end', this.#onGone)
    socket.on('close', this.#onGone)
  }

  /** Bytes already read from the connection. */
  push(early: Buffer): void {
    if (early.length > 0) this.#onData(early)
  }

  readonly #onData = (received: Buffer): void => {
    const chunk = this.#length === 0 ? this.#withoutLeadingLines(received) : received
    if (chunk.length === 0) return
    if (this.#length === 0 && !isTokenByte(chunk[0] ?? NUL)) {
      return this.#refuse(chunk[0] === TLS_HANDSHAKE ? 'tls' : 'request-line')
    }
    const room = Math.min(chunk.length, this.#options.maxBytes - this.#length)
    const end = this.#scan(chunk, room)
    if (end < 0) return this.#refuse('line-end')
    if (end === 0) return this.#collect(chunk, room)
    const head = this.#collected === undefined ? chunk.subarray(0, end) : this.#append(chunk, end)
    this.#detach()
    this.#options.onHead(head, chunk.subarray(end))
  }

  readonly #onGone = (): void => this.#refuse('incomplete')

  #withoutLeadingLines(chunk: Buffer): Buffer {
    let at = 0
    while (at < chunk.length && this.#leading < MAX_LEADING_BYTES && (chunk[at] === CR || chunk[at] === LF)) {
      at++
      this.#leading++
    }
    return at === 0 ? chunk : chunk.subarray(at)
  }

  /** The offset after the empty line; 0 if it has not arrived; -1 if there is a CR without LF, or a NUL. */
  #scan(chunk: Buffer, room: number): number {
    let state = this.#state
    for (let at = 0; at < room; at++) {
      const byte = chunk[at]
      if (state === AFTER_CR || state === AFTER_EMPTY_CR) {
        if (byte !== LF) return -1
        if (state === AFTER_EMPTY_CR) return at + 1
        state = AT_LINE_START
      } else if (byte === CR) state = state === AT_LINE_START ? AFTER_EMPTY_CR : AFTER_CR
      else if (byte === LF) {
        if (state === AT_LINE_START) return at + 1
        state = AT_LINE_START
      } else if (byte === NUL) return -1
      else state = IN_LINE
    }
    this.#state = state
    return 0
  }

  #collect(chunk: Buffer, room: number): void {
    this.#append(chunk, room)
    if (this.#length >= this.#options.maxBytes) this.#refuse('too-large')
  }

  #append(chunk: Buffer, count: number): Buffer {
    this.#collected ??= Buffer.allocUnsafeSlow(this.#options.maxBytes)
    chunk.copy(this.#collected, this.#length, 0, count)
    this.#length += count
    return this.#collected.subarray(0, this.#length)
  }

  #refuse(reason: BadHead): void {
    this.#detach()
    this.#options.onBad(reason)
  }

  #detach(): void {
    this.#timer[Symbol.dispose]()
    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#onGone)
    this.#socket.off('close', this.#onGone)
  }
}

/** RFC 9110 5.6.2: a byte that a method can start with. Excludes TLS and most other protocols by their first byte. */
function isTokenByte(byte: number): boolean {
  const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
  const isDigit = byte >= 0x30 && byte <= 0x39
  return isLetter || isDigit || "!#$%&'*+-.^_`|~".includes(String.fromCharCode(byte))
}
