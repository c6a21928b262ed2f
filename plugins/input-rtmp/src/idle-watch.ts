// Says when the other end of a connection has sent no media for too long. While the engine reads nothing, time does not count.
import type { Clock } from '@millrace/engine/plugin'

const CHECK_MS = 1000

export class IdleWatch implements Disposable {
  readonly #clock: Clock
  readonly #timer: Disposable
  #sinceMs: number
  #holds = 0

  /** @param onIdle called each second as long as that is true */
  constructor(clock: Clock, limitMs: () => number, onIdle: (limitMs: number) => void) {
    this.#clock = clock
    this.#sinceMs = clock.nowMs()
    this.#timer = clock.every(CHECK_MS, () => {
      if (this.#holds > 0) this.noteMedia()
      else if (clock.nowMs() - this.#sinceMs >= limitMs()) onIdle(limitMs())
    })
  }

  noteMedia(): void {
    this.#sinceMs = this.#clock.nowMs()
  }

  /** Time does not count until it is disposed; `inner` is disposed with it. */
  hold(inner: Disposable): Disposable {
    let isHeld = true
    this.#holds++
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        this.#holds--
        this.noteMedia()
        inner[Symbol.dispose]()
      },
    }
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]()
  }
}
