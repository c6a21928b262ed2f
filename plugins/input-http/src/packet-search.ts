// Checks that a body is a transport stream: holds its beginning back until packets are found in it, so that nothing
// else reaches the framer.
import { findSync } from '@millrace/media/mpegts'
import type { SyncResult } from '@millrace/media/mpegts'

/** Packets must be found within this many bytes. */
export const SEARCH_BYTES = 64 * 1024
const NOTHING: readonly Uint8Array[] = []

export class PacketSearch {
  readonly #found: SyncResult = { at: 0, stride: 0 }
  #held: Uint8Array | undefined
  #filled = 0
  #isFound = false

  get isFound(): boolean {
    return this.#isFound
  }

  /** No byte has arrived. */
  get isEmpty(): boolean {
    return !this.#isFound && this.#filled === 0
  }

  /** SEARCH_BYTES have been searched without finding packets. */
  get isExhausted(): boolean {
    return !this.#isFound && this.#filled >= SEARCH_BYTES
  }

  /** What has arrived, while no packets have been found. Valid until the next call. */
  get beginning(): Uint8Array {
    return this.#held?.subarray(0, this.#filled) ?? new Uint8Array(0)
  }

  /** Takes the next bytes; returns those that can be passed on: all of them once packets have been found. */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    if (this.#isFound) return [bytes]
    if (this.#filled === 0 && this.#search(bytes, bytes.length, false)) return [bytes]
    const part = bytes.subarray(0, SEARCH_BYTES - this.#filled)
    this.#held ??= new Uint8Array(SEARCH_BYTES)
    this.#held.set(part, this.#filled)
    const wasEmpty = this.#filled === 0
    this.#filled += part.length
    if (wasEmpty || !this.#search(this.#held, this.#filled, false)) return NOTHING
    return [this.#release(), bytes.subarray(part.length)].filter(({ length }) => length > 0)
  }

  /** No more bytes will arrive: now a single packet is enough. */
  end(): readonly Uint8Array[] {
    const isLate = this.#held !== undefined && !this.#isFound && this.#search(this.#held, this.#filled, true)
    return isLate ? [this.#release()] : NOTHING
  }

  /** Continues where the previous search ended. */
  #search(bytes: Uint8Array, end: number, ending: boolean): boolean {
    findSync(bytes, Math.min(this.#found.at, end), end, ending, this.#found)
    this.#isFound = this.#found.stride !== 0
    return this.#isFound
  }

  #release(): Uint8Array {
    const held = this.beginning
    this.#held = undefined
    return held
  }
}
