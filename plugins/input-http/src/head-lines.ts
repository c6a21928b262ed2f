// Collects the head of a response: lines up to the first empty one, each ended by CRLF or LF. It says as early as it can
// that the bytes are not the head of a response.
import { Buffer } from 'node:buffer'
import { httpError } from './http-errors.js'
import type { Leniency } from './leniency.js'
import { parseStatusLine } from './response-head.js'
import { showText } from './show-text.js'

export interface CollectedHead {
  /** Latin-1, without line ends; none if a transport stream begins without a head. */
  readonly lines: readonly string[]
  /** What has arrived behind the head; valid only during the call. */
  readonly rest: Uint8Array
}

const MAX_HEAD_BYTES = 16 * 1024
const MAX_SKIPPED_BYTES = 1024
const LF = 0x0a
const CR = 0x0d
const SYNC_BYTE = 0x47
/** The content type of a TLS record that holds an alert, RFC 8446 section 5.1. */
const TLS_ALERT = 0x15
const BEGINNINGS = ['HTTP', 'ICY']

export class HeadLines {
  readonly #leniency: Leniency
  readonly #held = Buffer.alloc(MAX_HEAD_BYTES)
  #lines: string[] = []
  #filled = 0
  #skipped = 0
  #lineStart = 0

  constructor(leniency: Leniency) {
    this.#leniency = leniency
  }

  /** No byte of a head has arrived. */
  get isEmpty(): boolean {
    return this.#filled === 0
  }

  /** Returns the head once it is complete; the next byte begins another one. Throws HTTP_BAD_ANSWER. */
  push(bytes: Uint8Array): CollectedHead | undefined {
    for (const [index, byte] of bytes.entries()) {
      if (this.#filled === 0 && this.#skips(byte)) continue
      if (this.#filled === 0 && byte === SYNC_BYTE) return this.#headless(bytes.subarray(index))
      if (this.#filled === 0 && byte === TLS_ALERT) throw bad('it speaks TLS: use https in the URL')
      if (this.#filled === MAX_HEAD_BYTES) throw bad(`its head is larger than ${MAX_HEAD_BYTES / 1024} KiB`)
      this.#held[this.#filled++] = byte
      if (byte === LF && this.#endLine()) return { lines: this.#restart(), rest: bytes.subarray(index + 1) }
    }
    this.#checkBeginning()
    return undefined
  }

  /** RFC 9112 section 2.2: empty lines in front. */
  #skips(byte: number): boolean {
    if (byte !== LF && byte !== CR) return false
    if (++this.#skipped > MAX_SKIPPED_BYTES) throw bad('it begins with empty lines')
    return true
  }

  #restart(): readonly string[] {
    const lines = this.#lines
    this.#lines = []
    this.#filled = 0
    this.#lineStart = 0
    return lines
  }

  #headless(rest: Uint8Array): CollectedHead {
    this.#leniency.excuse('no-head')
    return { lines: [], rest }
  }

  /** Returns whether the line that ends here is the empty one behind the head. */
  #endLine(): boolean {
    let end = this.#filled - 1
    while (end > this.#lineStart && this.#held[end - 1] === CR) end--
    const crs = this.#filled - 1 - end
    const line = this.#held.toString('latin1', this.#lineStart, end)
    this.#lineStart = this.#filled
    if (crs !== 1) this.#leniency.excuse('line-end')
    if (line === '') return true
    this.#lines.push(line)
    if (this.#lines.length === 1) parseStatusLine(line, this.#leniency)
    return false
  }

  #checkBeginning(): void {
    if (this.#lines.length > 0) return
    const text = this.#held.toString('latin1', 0, Math.min(this.#filled, 80))
    const word = text.trimStart().slice(0, 4).toUpperCase()
    const fits = BEGINNINGS.some((begin) => begin.startsWith(word.slice(0, begin.length)))
    if (!fits) throw bad(`it begins with ${showText(text)}`)
  }
}

function bad(detail: string): Error {
  return httpError('HTTP_BAD_ANSWER', `no valid HTTP response: ${detail}`)
}
