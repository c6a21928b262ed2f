// How fast the encoder is: media time per time over the last half minute, and whether input waits for it meanwhile. What
// ffmpeg itself says counts from its start, and is below 1 for every live source.

const WINDOW_MS = 30_000
/** Below this it does not keep up. */
export const TOO_SLOW = 0.97
/** An encoder that was started again for being slow gets this long before that happens again; doubled each time. */
const PATIENCE_MS = 600_000
const MOST_PATIENCE_MS = 24 * 3_600_000

interface Sample {
  readonly atMs: number
  readonly mediaMs: number
}

export class SpeedWatch {
  readonly #samples: Sample[] = []
  /** Input has waited since then; undefined if none waits. */
  #waitingSinceMs: number | undefined
  #patienceMs = PATIENCE_MS
  #restartedMs = -Infinity

  /** Of another run. */
  reset(): void {
    this.#samples.length = 0
    this.#waitingSinceMs = undefined
  }

  /** About once a second. `isWaiting`: input waits for the encoder. */
  note(nowMs: number, mediaMs: number | undefined, isWaiting: boolean): void {
    if (!isWaiting) this.#waitingSinceMs = undefined
    else this.#waitingSinceMs ??= nowMs
    if (mediaMs === undefined) return
    this.#samples.push({ atMs: nowMs, mediaMs })
    while (this.#samples.length > 2 && nowMs - this.#samples[0]!.atMs > WINDOW_MS) this.#samples.shift()
  }

  /** 0 while it is not known. */
  get speed(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined || last.atMs - first.atMs < 1000) return 0
    return Math.max(0, (last.mediaMs - first.mediaMs) / (last.atMs - first.atMs))
  }

  /** It has not kept up for half a minute. */
  isTooSlow(nowMs: number): boolean {
    const waits = this.#waitingSinceMs !== undefined && nowMs - this.#waitingSinceMs >= WINDOW_MS
    return waits && this.speed < TOO_SLOW
  }

  /** Whether it is time to start it again: it is slow although the machine has time. */
  mayRestart(nowMs: number, isIdle: () => boolean): boolean {
    if (!this.isTooSlow(nowMs) || nowMs - this.#restartedMs < this.#patienceMs || !isIdle()) return false
    if (this.#restartedMs > -Infinity) this.#patienceMs = Math.min(MOST_PATIENCE_MS, this.#patienceMs * 2)
    this.#restartedMs = nowMs
    return true
  }
}
