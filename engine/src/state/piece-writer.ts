// Writes pieces of media to the streams of viewers, and waits until each stream has passed its piece on. One timer watches
// over all of them: thousands of pieces a second have none of their own.
import type { Writable } from 'node:stream'
import type { Clock } from '../plugin/tokens.js'

/** A stream that takes nothing for this long is destroyed. */
const STALL_MS = 90_000
/** The timer runs no longer than this when nothing is being written. */
const CHECK_MS = 1000

interface Write {
  readonly stream: Writable
  readonly startMs: number
  settle(isSent: boolean): void
}

interface PieceOptions {
  /** The stream ends behind this piece: both leave in one system call. */
  readonly isLast?: boolean
}

export class PieceWriter {
  readonly #clock: Pick<Clock, 'after' | 'nowMs'>
  /** In the order of their start. */
  readonly #writes = new Set<Write>()
  #isWatching = false

  constructor(clock: Pick<Clock, 'after' | 'nowMs'>) {
    this.#clock = clock
  }

  /** True when the stream has passed the piece on; false if it was closed before, or took nothing for too long. */
  write(stream: Writable, piece: Buffer, { isLast = false }: PieceOptions = {}): Promise<boolean> {
    if (stream.destroyed || stream.writableEnded) return Promise.resolve(false)
    return new Promise((resolve) => {
      const settle = (isSent: boolean): void => {
        this.#writes.delete(write)
        stream.off('close', onClose)
        resolve(isSent)
      }
      const onClose = (): void => settle(false)
      const write = { stream, startMs: this.#clock.nowMs(), settle }
      this.#writes.add(write)
      this.#watch()
      stream.on('close', onClose)
      stream.write(piece, (error) => settle(error === null || error === undefined))
      if (isLast) stream.end()
    })
  }

  #watch(): void {
    const [oldest] = this.#writes
    if (this.#isWatching || oldest === undefined) return
    this.#isWatching = true
    const dueMs = oldest.startMs + STALL_MS - this.#clock.nowMs()
    this.#clock.after(Math.min(dueMs, CHECK_MS), () => {
      this.#isWatching = false
      this.#destroyStalled()
      this.#watch()
    })
  }

  #destroyStalled(): void {
    const untilMs = this.#clock.nowMs() - STALL_MS
    for (const { stream, startMs, settle } of this.#writes) {
      if (startMs > untilMs) return
      stream.destroy()
      settle(false)
    }
  }
}
