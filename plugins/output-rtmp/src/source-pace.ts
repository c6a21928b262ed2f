// Holds a source that can wait, such as a file that is read as fast as possible, to the pace of its time stamps.
import type { Clock, Inlet } from '@millrace/engine/plugin'

const MOST_AHEAD_MS = 500
const RELEASE_AHEAD_MS = 200
/** Beyond, it is another clock, or a source that has paused. */
const MOST_OFF_MS = 5000

export class SourcePace implements Disposable {
  readonly #clock: Clock
  readonly #inlet: Pick<Inlet, 'hold' | 'pausable'>
  /** Local time of the time stamp 0; NaN before the first. */
  #originMs = Number.NaN
  #hold: Disposable | undefined
  #timer: Disposable | undefined

  constructor(clock: Clock, inlet: Pick<Inlet, 'hold' | 'pausable'>) {
    this.#clock = clock
    this.#inlet = inlet
  }

  /** The stream has come so far. */
  reached(timestampMs: number): void {
    if (!this.#inlet.pausable || this.#hold !== undefined) return
    const nowMs = this.#clock.nowMs()
    const aheadMs = this.#originMs + timestampMs - nowMs
    if (!(Math.abs(aheadMs) <= MOST_OFF_MS)) this.#originMs = nowMs - timestampMs
    if (!(aheadMs > MOST_AHEAD_MS && aheadMs <= MOST_OFF_MS)) return
    this.#hold = this.#inlet.hold()
    this.#timer = this.#clock.after(aheadMs - RELEASE_AHEAD_MS, () => this[Symbol.dispose]())
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    const hold = this.#hold
    this.#hold = undefined
    hold?.[Symbol.dispose]()
  }
}
