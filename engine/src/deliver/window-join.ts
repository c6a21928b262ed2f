// The join of an entry in the window: its preamble and bridge are made when a viewer needs them first, and kept for all
// others as long as the entry.
import type { Join } from '../plugin/live-route.js'

export class WindowJoin {
  readonly keyframe: boolean
  /** Memory of it, with what has been made. */
  bytes: number
  readonly #join: Join
  readonly #onMade: (bytes: number) => void
  #preamble: Buffer | undefined
  #bridge: Buffer | undefined

  /** `onMade` is called with the size of what has been made; the same has been added to `bytes`. */
  constructor(join: Join, onMade: (bytes: number) => void) {
    this.keyframe = join.keyframe
    this.bytes = join.heldBytes
    this.#join = join
    this.#onMade = onMade
  }

  get preamble(): Buffer {
    return (this.#preamble ??= this.#note(this.#join.preamble()))
  }

  get bridge(): Buffer {
    return (this.#bridge ??= this.#note(this.#join.bridge()))
  }

  #note({ buffer, byteOffset, length }: Uint8Array): Buffer {
    this.bytes += length
    this.#onMade(length)
    return Buffer.from(buffer, byteOffset, length)
  }
}
