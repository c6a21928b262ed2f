// Says that the machine is too slow for the renditions, and when it no longer is.
import type { NodeContext } from '@millrace/engine/plugin'
import type { EncoderRun } from './encoder-run.js'
import type { SpeedWatch } from '../process/speed-watch.js'

/** Without drops for this long, the machine is fast enough. */
const SLOW_MS = 30_000

export interface SlownessParts {
  readonly context: Pick<NodeContext, 'degraded'>
  readonly speed: SpeedWatch
  /** The source waits for the encoder. */
  isPausable(): boolean
  /** The node works as it should, as far as its speed goes. */
  onFastEnough(): void
}

export class Slowness {
  readonly #parts: SlownessParts
  #isSlow = false
  /** When GOPs were dropped last, and how often in this run. */
  #slowMs = -Infinity
  #seenDrops = 0

  constructor(parts: SlownessParts) {
    this.#parts = parts
  }

  /** Another run begins. */
  reset(): void {
    this.#parts.speed.reset()
    this.#seenDrops = 0
    this.#isSlow = false
  }

  judge({ isFull, drops, hasBegun }: EncoderRun, nowMs: number, mediaMs: number | undefined): void {
    const { context, speed, isPausable, onFastEnough } = this.#parts
    speed.note(nowMs, mediaMs, isFull)
    if (drops > this.#seenDrops) this.#slowMs = nowMs
    this.#seenDrops = drops
    const isSlow = nowMs - this.#slowMs < SLOW_MS || (!isPausable() && speed.isTooSlow(nowMs))
    if (isSlow && !this.#isSlow) {
      const text = speed.speed.toFixed(2)
      context.degraded(`the machine is too slow for these renditions: speed ${text}, whole GOPs are dropped`)
    } else if (!isSlow && this.#isSlow && hasBegun) {
      onFastEnough()
    }
    this.#isSlow = isSlow
  }
}
