// The zipped form of a text: made once, when somebody first asks for it. A short one is zipped at once; a long one in a
// thread of its own, since megabytes would hold up everything else for tens of milliseconds.
import { promisify } from 'node:util'
import { gzip, gzipSync } from 'node:zlib'

/** About a millisecond. */
const MOST_AT_ONCE = 64 * 1024

const zipBeside = promisify(gzip)

export class ZippedText {
  readonly #plain: Buffer
  readonly #zipBeside: (plain: Buffer) => Promise<Buffer>
  #zipped: Buffer | Promise<Buffer> | undefined

  /** `beside`: in a thread of its own. */
  constructor(plain: Buffer, beside: (plain: Buffer) => Promise<Buffer> = zipBeside) {
    this.#plain = plain
    this.#zipBeside = beside
  }

  /** The same for everybody who asks while it is being made. */
  get(): Buffer | Promise<Buffer> {
    this.#zipped ??= this.#plain.length <= MOST_AT_ONCE ? gzipSync(this.#plain) : this.#make()
    return this.#zipped
  }

  async #make(): Promise<Buffer> {
    try {
      const zipped = await this.#zipBeside(this.#plain)
      this.#zipped = zipped
      return zipped
    } catch (error) {
      // There was no memory for it: whoever asks next tries again.
      this.#zipped = undefined
      throw error
    }
  }
}
