// How late the event loop runs its timers: the first number that tells of an engine that is out of breath.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from '../plugin/tokens.js'
import type { MetricsRegistry } from './metrics-registry.js'

const RESOLUTION_MS = 20
const WINDOW_MS = 10_000
const NS_PER_MS = 1e6

/**
 * Adds `event_loop_lag_seconds`: the 99th percentile of the last complete window of 10 s, or of the running one where
 * that is worse. Windows instead of "since the last scrape", so that two scrapers see the same.
 */
export function addEventLoopLag(registry: MetricsRegistry, clock: Clock): Disposable {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let lastWindowSeconds = 0
  // Node records the whole time between two ticks of its timer, which is the resolution when nothing is late.
  const lagSeconds = (): number => {
    const p99Ms = delay.percentile(99) / NS_PER_MS
    return delay.max > 0 ? Math.max(p99Ms - RESOLUTION_MS, 0) / 1000 : 0
  }
  const rotation = clock.every(WINDOW_MS, () => {
    lastWindowSeconds = lagSeconds()
    delay.reset()
  })
  const metric = registry.add(
    {
      name: 'event_loop_lag_seconds',
      kind: 'gauge',
      help: 'How late the event loop runs timers, 99th percentile over the last 10 s.',
    },
    {},
    () => Math.max(lastWindowSeconds, lagSeconds()),
  )
  return {
    [Symbol.dispose]: () => {
      metric[Symbol.dispose]()
      rotation[Symbol.dispose]()
      delay.disable()
    },
  }
}
