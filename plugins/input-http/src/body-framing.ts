// How long the body of a response is: RFC 9112 section 6.3, and what servers of live streams make of it.
import type { BodyDecoder } from './body-decoder.js'
import { ChunkedDecoder } from './chunked-decoder.js'
import type { Leniency } from './leniency.js'
import { membersOf } from './response-head.js'
import type { ResponseHead } from './response-head.js'

/** The length of a body that ends with its connection. */
const UNTIL_CLOSE = Number.POSITIVE_INFINITY

class LengthDecoder implements BodyDecoder {
  #leftBytes: number

  constructor(length: number) {
    this.#leftBytes = length
  }

  get isComplete(): boolean {
    return this.#leftBytes === 0
  }

  get endsWithConnection(): boolean {
    return this.#leftBytes === UNTIL_CLOSE
  }

  push(bytes: Uint8Array, onBytes: (part: Uint8Array) => void): void {
    const part = bytes.length <= this.#leftBytes ? bytes : bytes.subarray(0, this.#leftBytes)
    this.#leftBytes -= part.length
    if (part.length > 0) onBytes(part)
  }
}

/** Codings other than chunked have been refused before. Throws HTTP_BAD_ANSWER. */
export function decoderOf(head: ResponseHead, leniency: Leniency): BodyDecoder {
  if (head.status === 204 || head.status === 304) return new LengthDecoder(0)
  const lengths = membersOf(head, 'content-length')
  if (!membersOf(head, 'transfer-encoding').includes('chunked')) return new LengthDecoder(lengthOf(lengths, leniency))
  if (lengths.length > 0) leniency.excuse('length-and-chunks')
  return new ChunkedDecoder(leniency)
}

function lengthOf(lengths: readonly string[], leniency: Leniency): number {
  const [text] = lengths
  if (text === undefined) return UNTIL_CLOSE
  if (lengths.some((other) => other !== text)) {
    leniency.excuse('lengths-differ')
    return UNTIL_CLOSE
  }
  if (lengths.length > 1) leniency.excuse('length-repeated')
  if (!/^\d+$/.test(text)) {
    leniency.excuse('length-invalid')
    return UNTIL_CLOSE
  }
  const length = Number(text)
  if (length > Number.MAX_SAFE_INTEGER) return UNTIL_CLOSE
  if (length > 0 || !leniency.isLenient) return length
  // A live stream has no end: a server that writes 0 does not know the length.
  leniency.excuse('length-zero')
  return UNTIL_CLOSE
}
