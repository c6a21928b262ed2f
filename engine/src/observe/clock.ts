// Time for everything in the engine: monotonic milliseconds, one mapping to wall time, and timers that end with their
// owner. Timers keep the process alive while they run (a node that only waits for its back-off is still at work), so
// whoever owns a clock disposes it; disposing clears every timer, and those of its scopes.
import { performance } from 'node:perf_hooks'
import type { Clock } from '../plugin/tokens.js'

/** Above this, setTimeout of Node fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface EngineClock extends Clock, Disposable {
  /**
   * A clock of the same time whose timers end when it, or this one, is disposed. `enter` runs each timer's function, and
   * takes what it throws; by default as this clock does it, and the first one lets it go to the process.
   */
  scope(enter?: Enter): EngineClock
}

export type Enter = (run: () => void) => void

/**
 * Called after each run of a timer of `every`, of the clock or its scopes: with how long after its time something would
 * have run that was due together with it, in milliseconds. By default nobody is told.
 */
export type OnBeat = (lateMs: number) => void

/** A clock whose mapping to wall time is taken now and then stays, so that intervals never jump with the wall clock. */
export function createClock(onBeat: OnBeat = () => undefined): EngineClock {
  const wallOffsetMs = Date.now() - performance.now()
  return new TimerOwner(wallOffsetMs, (run) => run(), onBeat)
}

class TimerOwner implements EngineClock {
  readonly #wallOffsetMs: number
  readonly #enter: Enter
  readonly #onBeat: OnBeat
  readonly #onDispose: () => void
  readonly #owned = new Set<Disposable>()
  #disposed = false

  constructor(wallOffsetMs: number, enter: Enter, onBeat: OnBeat, onDispose: () => void = () => undefined) {
    this.#wallOffsetMs = wallOffsetMs
    this.#enter = enter
    this.#onBeat = onBeat
    this.#onDispose = onDispose
  }

  nowMs(): number {
    return performance.now()
  }

  wallMs(monotonicMs: number): number {
    return monotonicMs + this.#wallOffsetMs
  }

  after(delayMs: number, run: () => void): Disposable {
    let timer: NodeJS.Timeout | undefined
    const owned = this.#own(() => clearTimeout(timer))
    if (this.#disposed) return owned
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(Math.max(leftMs, 0), MAX_TIMER_MS)
      timer = setTimeout(() => {
        if (leftMs > stepMs) return arm(leftMs - stepMs)
        this.#owned.delete(owned)
        this.#enter(run)
      }, stepMs)
    }
    arm(delayMs)
    return owned
  }

  every(periodMs: number, run: () => void): Disposable {
    if (this.#disposed) return this.#own(() => undefined)
    const stepMs = Math.min(Math.max(periodMs, 1), MAX_TIMER_MS)
    let dueMs = this.nowMs() + stepMs
    const timer = setInterval(() => {
      // Node counts the next period from here.
      const startMs = this.nowMs()
      this.#enter(run)
      this.#onBeat(this.nowMs() - dueMs)
      dueMs = startMs + stepMs
    }, stepMs)
    return this.#own(() => clearInterval(timer))
  }

  scope(enter: Enter = this.#enter): EngineClock {
    const child: TimerOwner = new TimerOwner(this.#wallOffsetMs, enter, this.#onBeat, () => this.#owned.delete(child))
    if (this.#disposed) child[Symbol.dispose]()
    else this.#owned.add(child)
    return child
  }

  /** Timers asked for later never run. */
  [Symbol.dispose](): void {
    this.#disposed = true
    for (const owned of [...this.#owned]) owned[Symbol.dispose]()
    this.#onDispose()
  }

  #own(clear: () => void): Disposable {
    const owned: Disposable = {
      [Symbol.dispose]: () => {
        clear()
        this.#owned.delete(owned)
      },
    }
    if (!this.#disposed) this.#owned.add(owned)
    return owned
  }
}
