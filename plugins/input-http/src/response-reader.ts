// One HTTP/1 response as it arrives, without I/O: interim responses are skipped, then the head is handed out, then the
// bytes of the body. RFC 9112; the connection is used for one response only.
import type { BodyDecoder } from './body-decoder.js'
import { decoderOf } from './body-framing.js'
import { HeadLines } from './head-lines.js'
import { httpError } from './http-errors.js'
import type { Leniency } from './leniency.js'
import { parseResponseHead } from './response-head.js'
import type { ResponseHead } from './response-head.js'

export interface ResponseReaderParts {
  readonly leniency: Leniency
  /** Called once; the body is read if it returns true. What it throws comes out of `push`. */
  onHead(head: ResponseHead): boolean
  /** The array is valid only during the call. */
  onBody(bytes: Uint8Array): void
}

/** What the end of the connection means. */
export type ConnectionEnd = 'before-head' | 'within-head' | 'complete' | 'within-body'

const SWITCHING_PROTOCOLS = 101
const MAX_INTERIM_HEADS = 10_000

export class ResponseReader {
  readonly #parts: ResponseReaderParts
  #head: HeadLines | undefined
  #decoder: BodyDecoder | undefined
  #interimHeads = 0
  #isRefused = false

  constructor(parts: ResponseReaderParts) {
    this.#parts = parts
    this.#head = new HeadLines(parts.leniency)
  }

  /** The body has ended, or is not wanted: further bytes are ignored. */
  get isComplete(): boolean {
    return this.#isRefused || this.#decoder?.isComplete === true
  }

  /** Throws HTTP_BAD_ANSWER for a head that cannot be read, HTTP_BROKEN for a body that cannot. */
  push(bytes: Uint8Array): void {
    let rest = bytes
    while (this.#head !== undefined) {
      const collected = this.#head.push(rest)
      if (collected === undefined) return
      rest = collected.rest
      this.#takeHead(collected.lines)
    }
    if (!this.isComplete && rest.length > 0) this.#decoder?.push(rest, (part) => this.#parts.onBody(part))
  }

  /** The connection has ended. */
  end(): ConnectionEnd {
    if (this.#head !== undefined) return this.#head.isEmpty ? 'before-head' : 'within-head'
    return this.isComplete || this.#decoder?.endsWithConnection === true ? 'complete' : 'within-body'
  }

  #takeHead(lines: readonly string[]): void {
    const { leniency, onHead } = this.#parts
    const head: ResponseHead =
      lines.length === 0 ? { status: 200, reason: '', fields: [] } : parseResponseHead(lines, leniency)
    if (head.status < 200 && head.status !== SWITCHING_PROTOCOLS) {
      if (++this.#interimHeads > MAX_INTERIM_HEADS) {
        throw httpError('HTTP_BAD_ANSWER', `more than ${MAX_INTERIM_HEADS} interim responses`)
      }
      return
    }
    this.#head = undefined
    this.#isRefused = !onHead(head)
    if (!this.#isRefused) this.#decoder = decoderOf(head, leniency)
  }
}
