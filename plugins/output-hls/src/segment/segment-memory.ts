// The memory in which segments are kept. When it is full, the oldest segments are given up, even if they are listed.
import type { KeptMedia, MediaMemory } from '@millrace/engine/plugin'

export interface SegmentMemoryHost {
  open(limitBytes: number): MediaMemory
  /** Releases the oldest segment. False: there is none. */
  giveUpOldest(): boolean
}

/** A much lower limit is reached in steps, one for each segment: thousands of segments are not given up in one turn. */
const MOST_GIVEN_UP_BYTES = 64 * 1024 * 1024

export class SegmentMemory {
  readonly #host: SegmentMemoryHost
  #memory: MediaMemory | undefined

  constructor(host: SegmentMemoryHost) {
    this.#host = host
  }

  get bytes(): number {
    return this.#memory?.bytes ?? 0
  }

  /** Copies the parts. Undefined: there is no room for them. */
  keep(parts: readonly Uint8Array[], limitBytes: number): KeptMedia | undefined {
    const memory = (this.#memory ??= this.#host.open(limitBytes))
    memory.resize(Math.max(limitBytes, memory.bytes - MOST_GIVEN_UP_BYTES))
    let kept = memory.keep(parts)
    while (kept === undefined && this.#host.giveUpOldest()) kept = memory.keep(parts)
    return kept
  }
}
