// The bytes of a segment wherever they are: in memory as long as somebody holds them there, and on a disk once they are
// written.
import type { Writable } from 'node:stream'
import type { KeptMedia, SendOptions } from '@millrace/engine/plugin'

export class HeldMedia implements KeptMedia {
  readonly length: number
  #memory: KeptMedia | undefined
  #stored: KeptMedia | undefined
  #holders = 1

  /** Held by its maker. */
  constructor(memory: KeptMedia) {
    this.#memory = memory
    this.length = memory.length
  }

  get isInMemory(): boolean {
    return this.#memory !== undefined
  }

  /** Its memory is free once whoever asks this has released it. */
  get isFreeOnRelease(): boolean {
    return this.#memory !== undefined && this.#holders <= 1
  }

  get isStored(): boolean {
    return this.#stored !== undefined
  }

  sendTo(stream: Writable, options?: SendOptions): Promise<boolean> {
    const media = this.#memory ?? this.#stored
    return media === undefined ? Promise.resolve(false) : media.sendTo(stream, options)
  }

  /** Somebody else needs it too, until they release it. */
  hold(): this {
    this.#holders++
    return this
  }

  release(): void {
    if (--this.#holders <= 0) this.#drop()
  }

  /** It can be read there from now on. */
  setStored(stored: KeptMedia): void {
    this.#stored = stored
  }

  /** Gives back its memory if it is on a disk, whoever holds it. */
  leaveMemory(): boolean {
    if (this.#memory === undefined || this.#stored === undefined) return false
    this.#drop()
    return true
  }

  #drop(): void {
    this.#memory?.release()
    this.#memory = undefined
  }
}
