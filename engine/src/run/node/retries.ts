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
  /** When its stream came up; -1 while it is down. */
  #readyAtMs = -1
  #retry: Disposable | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isWaiting(): boolean {
    return this.#retry !== undefined
  }

  /** Its stream is up. */
  noteReady(): void {
    if (this.#readyAtMs < 0) this.#readyAtMs = this.#clock.nowMs()
  }

  /** Its stream is down. `id`: the target unless the error names one. */
  noteFailure(error: unknown, id: string): { readonly target: string; readonly delayMs: number } {
    const named = isEngineError(error) ? error : undefined
    const target = named?.target ?? id
    // Called even if the error names its own delay: it counts failures, and resets them after a long healthy time.
    const upMs = this.#readyAtMs < 0 ? 0 : this.#clock.nowMs() - this.#readyAtMs
    const backOffMs = this.#backOff.nextDelayMs(target, upMs)
    this.#readyAtMs = -1
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
