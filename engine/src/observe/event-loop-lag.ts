// How late the event loop runs its timers: the first sign of an overloaded engine. It is measured by the timers that
// the engine has anyway: a probe of its own would wake an idle process more often than its streams do.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Clock } from '../plugin/tokens.js'
import type { MetricsRegistry } from './metrics-registry.js'

const WINDOW_MS = 10_000
const NS_PER_MS = 1e6

export class EventLoopLag {
  readonly #window: RecordableHistogram = createHistogram()
  #lastWindowSeconds = 0

  /** Called by the clock: anything that was due ran this late, or would have. */
  note(lateMs: number): void {
    this.#window.record(Math.max(1, Math.round(lateMs * NS_PER_MS)))
  }

  /**
   * Adds `event_loop_lag_seconds`: the 99th percentile of the last complete window of 10 s, or of the current one if
   * that is worse. Windows instead of "since the last scrape", so that two scrapers see the same.
   */
  addTo(registry: MetricsRegistry, clock: Clock): Disposable {
    const rotation = clock.every(WINDOW_MS, () => {
      this.#lastWindowSeconds = this.#seconds
      this.#window.reset()
    })
    const metric = registry.add(
      {
        name: 'event_loop_lag_seconds',
        kind: 'gauge',
        help: 'How late the event loop runs timers, 99th percentile over the last 10 s.',
      },
      {},
      () => this.seconds,
    )
    return {
      [Symbol.dispose]: () => {
        metric[Symbol.dispose]()
        rotation[Symbol.dispose]()
      },
    }
  }

  /** The 99th percentile of the last complete window, or of the current one if that is worse. */
  get seconds(): number {
    return Math.max(this.#lastWindowSeconds, this.#seconds)
  }

  get #seconds(): number {
    return this.#window.count === 0 ? 0 : this.#window.percentile(99) / NS_PER_MS / 1000
  }
}
