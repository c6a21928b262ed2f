// What an upstream's response may get wrong. Upstreams are the operator's own, and players take such responses, so each
// of these is taken unless `lenient: false`; and no connection is used for a second response, so that a length that is
// read differently elsewhere harms nobody. Requests of viewers are read by the engine, which takes none of this.
import { httpError } from './http-errors.js'

export type Deviation = keyof typeof DEVIATIONS

export const DEVIATIONS = {
  'no-head': 'the stream begins without a response head',
  'status-line': 'the status line is not of the form "HTTP/1.1 200 OK"',
  'line-end': 'lines of the head end with LF alone',
  'no-colon': 'a header line has no colon',
  'space-before-colon': 'a space precedes the colon of a header',
  'header-name': 'a header has an invalid name',
  folded: 'a header continues on the next line',
  control: 'a header contains control characters',
  'length-repeated': 'Content-Length occurs several times with one value',
  'lengths-differ': 'Content-Length occurs several times with different values',
  'length-invalid': 'Content-Length is not a number',
  'length-zero': 'Content-Length is 0',
  'length-and-chunks': 'Content-Length and Transfer-Encoding: chunked occur together',
  'transfer-coding': 'Transfer-Encoding names no coding',
  compression: 'its head names a compression, which the request did not allow',
  'content-coding': 'Content-Encoding names no coding',
  'chunk-size': 'a chunk size is not a plain number',
  'chunk-line': 'a line of the chunked coding ends with LF alone, is empty, or is missing',
} as const

export class Leniency {
  readonly isLenient: boolean
  readonly #onDeviation: (deviation: Deviation) => void
  readonly #taken = new Set<Deviation>()

  /** `onDeviation` is called for each deviation when it is taken for the first time. */
  constructor(isLenient: boolean, onDeviation: (deviation: Deviation) => void) {
    this.isLenient = isLenient
    this.#onDeviation = onDeviation
  }

  /** Throws HTTP_BAD_ANSWER if the response has to be valid. */
  excuse(deviation: Deviation): void {
    if (!this.isLenient) {
      throw httpError(
        'HTTP_BAD_ANSWER',
        `no valid HTTP response: ${DEVIATIONS[deviation]} (\`lenient: true\` takes it)`,
      )
    }
    if (this.#taken.has(deviation)) return
    this.#taken.add(deviation)
    this.#onDeviation(deviation)
  }
}
