// Memory for what is read from disks and sent to viewers: a fixed number of blocks for all nodes. A viewer holds one block
// while its stream takes it. When there is none left, viewers wait in line; those that hold one for too long while others
// wait are cut.
import type { Writable } from 'node:stream'
import type { Clock } from '../plugin/tokens.js'

export const PIECE_BYTES = 128 * 1024
/** 32 MiB. */
const MOST_BLOCKS = 256
/** While others wait, a viewer has to take its block in this time. */
const MOST_HELD_MS = 10_000

interface Held {
  readonly stream: Writable
  readonly sinceMs: number
}

export class ReadBuffers {
  readonly #clock: Pick<Clock, 'after' | 'nowMs'>
  readonly #mostBlocks: number
  readonly #free: Buffer[] = []
  /** Oldest first. */
  readonly #held = new Map<Buffer, Held>()
  readonly #waiting: (() => void)[] = []
  #cutting: Disposable | undefined

  constructor(clock: Pick<Clock, 'after' | 'nowMs'>, mostBlocks = MOST_BLOCKS) {
    this.#clock = clock
    this.#mostBlocks = mostBlocks
  }

  /** A block to read into, for this stream. */
  async take(stream: Writable): Promise<Buffer> {
    while (this.#held.size >= this.#mostBlocks) {
      this.#watch()
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    const block = this.#free.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES)
    this.#held.set(block, { stream, sinceMs: this.#clock.nowMs() })
    return block
  }

  /** `isReusable`: the stream cannot read it any more. */
  give(block: Buffer, isReusable: boolean): void {
    this.#held.delete(block)
    if (isReusable) this.#free.push(block)
    this.#waiting.shift()?.()
    if (this.#waiting.length > 0) return
    this.#cutting?.[Symbol.dispose]()
    this.#cutting = undefined
    // Nothing waits: what a peak has needed is given back.
    if (this.#held.size === 0) this.#free.length = Math.min(this.#free.length, 1)
  }

  #watch(): void {
    const oldest = [...this.#held.values()].find(({ stream }) => !stream.destroyed)
    if (this.#cutting !== undefined || oldest === undefined) return
    const waitMs = Math.max(0, oldest.sinceMs + MOST_HELD_MS - this.#clock.nowMs())
    this.#cutting = this.#clock.after(waitMs, () => {
      this.#cutting = undefined
      const latestMs = this.#clock.nowMs() - MOST_HELD_MS
      for (const { stream, sinceMs } of this.#held.values()) if (sinceMs <= latestMs) stream.destroy()
      if (this.#waiting.length > 0) this.#watch()
    })
  }
}
