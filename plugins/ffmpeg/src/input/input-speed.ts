// Whether an FFmpeg that encodes keeps up with its source. What waits in front of it is not seen: so what counts is media time
// per time, while it gives something and nobody holds it.
import { SpeedWatch, TOO_SLOW } from '../process/speed-watch.js'

/** A source that gives nothing for this long has paused. */
const PAUSE_MS = 5000
/** A moment without media lowers the speed for half a minute. */
const PERSISTENT_MS = 40_000

export class InputSpeed {
  readonly #watch = new SpeedWatch()
  #mediaMs: number | undefined
  #advancedMs = -Infinity
  #slowSinceMs: number | undefined

  /** Another run begins. */
  reset(): void {
    this.#watch.reset()
    this.#mediaMs = undefined
    this.#advancedMs = -Infinity
    this.#slowSinceMs = undefined
  }

  /** Each second. `wasHeld`: since the last time. */
  note(nowMs: number, mediaMs: number | undefined, wasHeld: boolean): void {
    if (mediaMs !== undefined && mediaMs !== this.#mediaMs) this.#advancedMs = nowMs
    this.#mediaMs = mediaMs
    const isWorking = !wasHeld && nowMs - this.#advancedMs < PAUSE_MS
    this.#watch.note(nowMs, mediaMs, isWorking)
    if (isWorking && this.speed < TOO_SLOW) this.#slowSinceMs ??= nowMs
    else this.#slowSinceMs = undefined
  }

  /** 0 while it is not known. */
  get speed(): number {
    return this.#watch.speed
  }

  isTooSlow(nowMs: number): boolean {
    return this.#slowSinceMs !== undefined && nowMs - this.#slowSinceMs >= PERSISTENT_MS
  }
}
