// A clock that stands still until a test advances it: timers run in the order of their times, each at exactly its time.
import type { EngineClock, Enter } from '../observe/clock.js'

interface FakeTimer {
  atMs: number
  /** 0 for a timer that runs once. */
  readonly periodMs: number
  run(): void
}

/** Minimum period of `every`, so that advancing the clock terminates. */
const LEAST_PERIOD_MS = 1
/** From monotonic to wall time: 2020-01-01. */
const WALL_OFFSET_MS = Date.UTC(2020, 0, 1)

export class FakeClock implements EngineClock {
  #nowMs = 0
  #wallOffsetMs = WALL_OFFSET_MS
  readonly #timers = new Set<FakeTimer>()
  readonly #waiting: (() => void)[] = []

  /** Number of pending timers, including those of all scopes. */
  get pending(): number {
    return this.#timers.size
  }

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(monotonicMs: number): number {
    return monotonicMs + this.#wallOffsetMs
  }

  /** The clock of the machine is set by this much: only dates follow. */
  stepWall(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  after(delayMs: number, run: () => void): Disposable {
    return this.#add({ atMs: this.#nowMs + Math.max(0, delayMs), periodMs: 0, run })
  }

  every(periodMs: number, run: () => void): Disposable {
    const period = Math.max(LEAST_PERIOD_MS, periodMs)
    return this.#add({ atMs: this.#nowMs + period, periodMs: period, run })
  }

  scope(enter?: Enter): EngineClock {
    return new FakeScope(this, enter)
  }

  /** Advances time, and runs the timers that become due. An error that one throws is thrown here. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      if (next.periodMs === 0) this.#timers.delete(next)
      else next.atMs += next.periodMs
      next.run()
    }
    this.#nowMs = untilMs
  }

  /** Lets time pass while nothing runs, as on a machine that was suspended. Each timer that is due then runs once. */
  sleep(forMs: number): void {
    this.#nowMs += forMs
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.#nowMs || !this.#timers.has(timer)) continue
      if (timer.periodMs === 0) this.#timers.delete(timer)
      else timer.atMs = this.#nowMs + timer.periodMs
      timer.run()
    }
  }

  /** Resolves when the next timer is set; at once if one is pending already. */
  async untilPending(): Promise<void> {
    if (this.#timers.size === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Ends all timers. */
  [Symbol.dispose](): void {
    this.#timers.clear()
  }

  #add(timer: FakeTimer): Disposable {
    this.#timers.add(timer)
    for (const resolve of this.#waiting.splice(0)) resolve()
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) }
  }

  #next(untilMs: number): FakeTimer | undefined {
    let first: FakeTimer | undefined
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && (first === undefined || timer.atMs < first.atMs)) first = timer
    }
    return first
  }
}

/** The timers of one owner, which end with it. */
class FakeScope implements EngineClock {
  readonly #clock: FakeClock
  readonly #enter: Enter
  readonly #owned = new Set<Disposable>()
  #isDisposed = false

  constructor(clock: FakeClock, enter: Enter = (run) => run()) {
    this.#clock = clock
    this.#enter = enter
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  wallMs(monotonicMs: number): number {
    return this.#clock.wallMs(monotonicMs)
  }

  after(delayMs: number, run: () => void): Disposable {
    return this.#own((call) => this.#clock.after(delayMs, call), run)
  }

  every(periodMs: number, run: () => void): Disposable {
    return this.#own((call) => this.#clock.every(periodMs, call), run)
  }

  scope(enter = this.#enter): EngineClock {
    const child = new FakeScope(this.#clock, enter)
    this.#owned.add(child)
    return child
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    for (const owned of this.#owned) owned[Symbol.dispose]()
    this.#owned.clear()
  }

  #own(set: (call: () => void) => Disposable, run: () => void): Disposable {
    if (this.#isDisposed) return { [Symbol.dispose]: () => undefined }
    const timer = set(() => this.#enter(run))
    this.#owned.add(timer)
    return timer
  }
}
