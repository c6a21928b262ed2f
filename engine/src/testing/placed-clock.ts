// The clock of a node in the contract kit: a FakeClock that knows which line has set each timer.
import type { Clock } from '../plugin/tokens.js'
import type { FakeClock } from './fake-clock.js'

const OWN_FRAMES = /\/testing\/[a-z-]+(?<!\.test)\.js|\/testing\/contract\/[a-z-]+(?<!\.test)\.js|node:/

export class PlacedClock implements Clock {
  readonly #clock: FakeClock
  readonly #enter: (run: () => void) => void
  readonly #pending = new Map<Disposable, string>()

  constructor(clock: FakeClock, enter: (run: () => void) => void) {
    this.#clock = clock
    this.#enter = enter
  }

  /** What is pending: `a timer of CLOCK (after 100 ms, set at Meter.open (/plugin/index.js:12:3))`. */
  get left(): readonly string[] {
    return [...this.#pending.values()]
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  wallMs(monotonicMs: number): number {
    return this.#clock.wallMs(monotonicMs)
  }

  after(delayMs: number, run: () => void): Disposable {
    const timer = this.#clock.after(delayMs, () => {
      this.#pending.delete(handle)
      this.#enter(run)
    })
    const handle = this.#placed(timer, `after ${delayMs} ms`)
    return handle
  }

  every(periodMs: number, run: () => void): Disposable {
    return this.#placed(
      this.#clock.every(periodMs, () => this.#enter(run)),
      `every ${periodMs} ms`,
    )
  }

  #placed(timer: Disposable, what: string): Disposable {
    const handle: Disposable = {
      [Symbol.dispose]: () => {
        this.#pending.delete(handle)
        timer[Symbol.dispose]()
      },
    }
    this.#pending.set(handle, `a timer of CLOCK (${what}, set ${placeOfCaller()})`)
    return handle
  }
}

function placeOfCaller(): string {
  const lines = (new Error('set').stack ?? '').split('\n').slice(1)
  return (lines.find((line) => !OWN_FRAMES.test(line)) ?? 'at an unknown place').trim()
}
