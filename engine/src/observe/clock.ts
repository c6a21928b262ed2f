// Time for everything in the engine: monotonic milliseconds, one mapping to wall time, and timers that end with their
// owner. Timers keep the process alive while they run (a node that only waits for its back-off is still at work), so
// whoever owns a clock disposes it; disposing clears every timer, and those of its scopes.
import { performance } from 'node:perf_hooks'
import type { Clock } from '../plugin/tokens.js'

/** Above this, setTimeout of Node fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface EngineClock extends Clock, Disposable {
  /**
   * A clock of the same time whose timers end when it, or this one, is disposed. `onError` gets what a timer's
   * function throws; by default it goes where this clock sends it, and from the first one to the process.
   */
  scope(onError?: (error: unknown) => void): EngineClock
}

/** A clock whose mapping to wall time is taken now and then stays, so that intervals never jump with the wall clock. */
export function createClock(): EngineClock {
  const wallOffsetMs = Date.now() - performance.now()
  return new TimerOwner(wallOffsetMs, rethrow)
}

class TimerOwner implements EngineClock {
  readonly #wallOffsetMs: number
  readonly #onError: (error: unknown) => void
  readonly #onDispose: () => void
  readonly #owned = new Set<Disposable>()
  #disposed = false

  constructor(wallOffsetMs: number, onError: (error: unknown) => void, onDispose: () => void = () => undefined) {
    this.#wallOffsetMs = wallOffsetMs
    this.#onError = onError
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
        this.#call(run)
      }, stepMs)
    }
    arm(delayMs)
    return owned
  }

  every(periodMs: number, run: () => void): Disposable {
    if (this.#disposed) return this.#own(() => undefined)
    const timer = setInterval(() => this.#call(run), Math.min(Math.max(periodMs, 1), MAX_TIMER_MS))
    return this.#own(() => clearInterval(timer))
  }

  scope(onError: (error: unknown) => void = this.#onError): EngineClock {
    const child: TimerOwner = new TimerOwner(this.#wallOffsetMs, onError, () => this.#owned.delete(child))
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

  #call(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#onError(error)
    }
  }
}

function rethrow(error: unknown): never {
  throw error
}
