// Time for everything in the engine: monotonic milliseconds, one mapping to wall time, and timers that end with their
// owner. Running timers keep the process alive (a node that only waits for its back-off is still at work), so the owner
// of a clock must dispose it; that clears every timer of the clock and its scopes.
import { performance } from 'node:perf_hooks'
import type { Clock } from '../plugin/tokens.js'
import { WallClock } from './wall-clock.js'

/** For a longer delay, Node's setTimeout fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface EngineClock extends Clock, Disposable {
  /**
   * A clock of the same time whose timers end when it or this clock is disposed. `enter` runs the function of each
   * timer and handles what it throws. By default a scope uses the `enter` of its parent.
   */
  scope(enter?: Enter): EngineClock
}

export type Enter = (run: () => void) => void

/**
 * Called after each run of an `every` timer of the clock or its scopes, with the delay in milliseconds that anything
 * due at the same time would have had. By default it does nothing.
 */
type OnTimerRun = (lateMs: number) => void

export interface ClockSettings {
  /** By default it does nothing. */
  readonly onTimerRun?: OnTimerRun
  /** Runs the function of each timer; by default as it is. */
  readonly enter?: Enter
  /** The clock of the machine was set, by this much. By default nobody is told. */
  onWallStep?(byMs: number): void
}

/** Creates a clock. Timers and intervals never jump with the wall clock; the mapping to wall time follows it. */
export function createClock({ onTimerRun, enter, onWallStep }: ClockSettings = {}): EngineClock {
  const wall = new WallClock({
    nowMs: () => performance.now(),
    unixMs: () => Date.now(),
    onStep: (byMs) => onWallStep?.(byMs),
  })
  return new TimerOwner(wall, enter ?? ((run) => run()), onTimerRun ?? (() => undefined))
}

class TimerOwner implements EngineClock {
  readonly #wall: WallClock
  readonly #enter: Enter
  readonly #onTimerRun: OnTimerRun
  readonly #onDispose: () => void
  readonly #owned = new Set<Disposable>()
  #disposed = false

  constructor(wall: WallClock, enter: Enter, onTimerRun: OnTimerRun, onDispose: () => void = () => undefined) {
    this.#wall = wall
    this.#enter = enter
    this.#onTimerRun = onTimerRun
    this.#onDispose = onDispose
  }

  nowMs(): number {
    return performance.now()
  }

  wallMs(monotonicMs: number): number {
    return this.#wall.of(monotonicMs)
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
      this.#wall.check(startMs)
      this.#enter(run)
      this.#onTimerRun(this.nowMs() - dueMs)
      dueMs = startMs + stepMs
    }, stepMs)
    return this.#own(() => clearInterval(timer))
  }

  scope(enter: Enter = this.#enter): EngineClock {
    const child: TimerOwner = new TimerOwner(this.#wall, enter, this.#onTimerRun, () => this.#owned.delete(child))
    if (this.#disposed) child[Symbol.dispose]()
    else this.#owned.add(child)
    return child
  }

  /** Timers that are requested later never run. */
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
