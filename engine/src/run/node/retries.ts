// When a node that has failed is tried again: after the back-off of the target that could not be reached, or after the
// delay that the error names.
import { isEngineError } from '../../errors.js'
import type { Clock } from '../../plugin/tokens.js'
import { BackOff } from './back-off.js'

export class Retries {
  /** How often the node has been tried again. */
  restarts = 0
  readonly #clock: Clock
  readonly #backOff = new BackOff()
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
    const named = isEngineError(error) ? error : undefined
    const target = named?.target ?? id
    // Called even if the error names its own delay: it counts failures, and resets them after a long healthy time.
    const backOffMs = this.#backOff.nextDelayMs(target, upMs)
    return { target, delayMs: named?.retryAfterMs ?? backOffMs }
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
  }
}
