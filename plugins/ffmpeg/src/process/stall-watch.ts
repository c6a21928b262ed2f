// Notices a process that is alive and gives nothing: it takes input, and one of its outputs has been silent for too long.
// While nothing comes in, nothing is expected. No timers: the caller checks about once a second.

export interface StallWatchSettings {
  /** Outputs that must not be silent. */
  readonly outputs: number
  /** Read at each check: it can change. */
  silentMs(): number
  /** Longer, until the first byte: decoders and encoders fill up. */
  readonly firstMs: number
}

export class StallWatch {
  readonly #settings: StallWatchSettings
  /** When each output has given its last byte, and whether it has given any. */
  readonly #lastMs: Float64Array
  readonly #hasGiven: Uint8Array
  #inputMs = -Infinity
  /** Input has flowed without a pause since then. */
  #flowingSinceMs = 0
  #checkedMs: number
  /** The last check has left it to the next one. */
  #isAgain = false

  constructor(settings: StallWatchSettings, nowMs: number) {
    this.#settings = settings
    this.#lastMs = new Float64Array(settings.outputs).fill(nowMs)
    this.#hasGiven = new Uint8Array(settings.outputs)
    this.#checkedMs = nowMs
  }

  noteInput(nowMs: number): void {
    if (nowMs - this.#inputMs > PAUSE_MS) this.#flowingSinceMs = nowMs
    this.#inputMs = nowMs
  }

  noteOutput(output: number, nowMs: number): void {
    if (output >= this.#lastMs.length) return
    this.#lastMs[output] = nowMs
    this.#hasGiven[output] = 1
  }

  /** What came before does not count: it could not give anything. */
  restart(nowMs: number): void {
    this.#flowingSinceMs = nowMs
  }

  /** The number of an output that is silent though input flows; undefined if there is none. */
  check(nowMs: number, periodMs: number): number | undefined {
    const isAgain = this.#isAgain
    this.#isAgain = false
    const lateMs = nowMs - this.#checkedMs - periodMs
    this.#checkedMs = nowMs
    const { silentMs, firstMs } = this.#settings
    const most = silentMs()
    // This process was blocked and could read nothing itself.
    if (lateMs > Math.min(periodMs, most / 2)) this.restart(nowMs)
    if (nowMs - this.#inputMs > PAUSE_MS) return undefined
    if (most === 0) return undefined
    const stalled = this.#lastMs.findIndex((lastMs, output) => {
      const allowedMs = this.#hasGiven[output] === 1 ? most : Math.max(most, firstMs)
      return nowMs - Math.max(lastMs, this.#flowingSinceMs) >= allowedMs
    })
    if (stalled < 0) return undefined
    this.#isAgain = !isAgain && lateMs >= LATE_MS
    return this.#isAgain ? undefined : stalled
  }
}

/** Input that is further apart has paused in between. */
const PAUSE_MS = 2000
/** What has come before a check that is so much late may still be in the pipe, which is read after timers. */
const LATE_MS = 100
