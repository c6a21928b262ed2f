// A reader that keeps everything it receives.
import { HttpReader } from '../../oracle/http-reader.js'
import type { HttpReaderReport } from '../../oracle/http-reader.js'

export class Recording implements AsyncDisposable {
  readonly reader: HttpReader
  readonly #parts: Uint8Array[] = []

  constructor(url: string) {
    this.reader = new HttpReader(url, { onBody: (bytes) => this.#parts.push(Uint8Array.from(bytes)) })
  }

  /** The whole body so far. */
  get body(): Buffer {
    return Buffer.concat(this.#parts)
  }

  report(): HttpReaderReport {
    return this.reader.report()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.reader[Symbol.asyncDispose]()
  }
}
