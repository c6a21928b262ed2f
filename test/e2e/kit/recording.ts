// A reader that keeps what it gets.
import { LightReader } from '../../oracle/light-reader.js'
import type { LightReport } from '../../oracle/light-reader.js'

export class Recording implements AsyncDisposable {
  readonly reader: LightReader
  readonly #parts: Uint8Array[] = []

  constructor(url: string) {
    this.reader = new LightReader(url, { onBody: (bytes) => this.#parts.push(Uint8Array.from(bytes)) })
  }

  /** The whole body until now. */
  get body(): Buffer {
    return Buffer.concat(this.#parts)
  }

  report(): LightReport {
    return this.reader.report()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.reader[Symbol.asyncDispose]()
  }
}
