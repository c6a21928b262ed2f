// When a node that has failed is tried again: after the back-off of the target that could not be reached, or after the
// delay that the error names. A source with a list of targets tries the next one at once; one that always asks to be tried
// at once is not.
import { isEngineError } from '../../errors.js'
import type { Clock } from '../../plugin/tokens.js'
import { BackOff, FIRST_MS, HEALTHY_MS } from './back-off.js'

/** Shorter delays than the back-off has count as immediate; so many in a row for one target, and for all together. */
const MOST_IMMEDIATE = 5
const MOST_IMMEDIATE_OF_ALL = 32

export class Retries {
  /** How often the node has been tried again. */
  restarts = 0
  readonly #clock: Clock
  readonly #backOff = new BackOff()
  /** Immediate retries since the last healthy time or longer delay. */
  readonly #immediate = new Map<string, number>()
  #immediateOfAll = 0
  #retry: Disposable | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isWaiting(): boolean {
    return this.#retry !== undefined
  }

  /** `id`: the target unless the error names one. `upMs`: how long it had been up. */
  noteFailure(
    error: unknown,
    { id, upMs }: { readonly id: string; readonly upMs: number },
  ): { readonly target: string; readonly delayMs: number } {
    const { target = id, retryAfterMs } = isEngineError(error) ? error : {}
    // Called even if the error names its own delay: it counts failures, and resets them after a long healthy time.
    const backOffMs = this.#backOff.nextDelayMs(target, upMs)
    if (upMs >= HEALTHY_MS) this.#forgetImmediate()
    const delayMs = isDelay(retryAfterMs) ? retryAfterMs : backOffMs
    if (delayMs < FIRST_MS && delayMs < backOffMs) {
      if (this.#allowsImmediate(target)) return { target, delayMs }
      // Changing targets have no back-off: that of the node applies.
      const ownMs =
        target === id || this.#immediateOfAll <= MOST_IMMEDIATE_OF_ALL ? 0 : this.#backOff.nextDelayMs(id, 0)
      this.#forgetImmediate()
      return { target, delayMs: Math.max(backOffMs, ownMs) }
    }
    this.#forgetImmediate()
    return { target, delayMs }
  }

  /** Calls `run` after the delay, unless cancelled before. */
  schedule(delayMs: number, run: () => void): void {
    this.restarts++
    this.#retry = this.#clock.after(delayMs, () => {
      this.#retry = undefined
      run()
    })
  }

  cancel(): void {
    this.#retry?.[Symbol.dispose]()
    this.#retry = undefined
  }

  #allowsImmediate(target: string): boolean {
    const count = (this.#immediate.get(target) ?? 0) + 1
    this.#immediate.set(target, count)
    this.#immediateOfAll++
    return count <= MOST_IMMEDIATE && this.#immediateOfAll <= MOST_IMMEDIATE_OF_ALL
  }

  #forgetImmediate(): void {
    this.#immediate.clear()
    this.#immediateOfAll = 0
  }
}

function isDelay(value: unknown): value is number {
  return typeof value === 'number' && value >= 0
}
