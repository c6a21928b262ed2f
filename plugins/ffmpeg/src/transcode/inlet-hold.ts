// Pauses a source that can wait, while the encoder takes nothing.
import type { Inlet } from '@millrace/engine/plugin'

export class InletHold {
  inlet: Inlet | undefined
  #hold: Disposable | undefined

  /** The source waits instead of having its GOPs dropped. */
  get isPausable(): boolean {
    return this.inlet?.pausable === true
  }

  /** Nothing for a source that cannot wait. Safe twice. */
  take(): void {
    if (this.isPausable) this.#hold ??= this.inlet?.hold()
  }

  /** Safe twice, and within what it lets go on. */
  release(): void {
    const hold = this.#hold
    this.#hold = undefined
    hold?.[Symbol.dispose]()
  }
}
