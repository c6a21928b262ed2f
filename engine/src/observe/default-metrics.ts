// The metrics of the process and of Node that prom-client reads, under the names that ready-made dashboards expect.
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { MetricsRegistry } from './metrics-registry.js'

const LEFT_OUT: ReadonlySet<string> = new Set([
  // Gauges with the name of a counter: promtool refuses them.
  ...['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'],
  // They list every socket, or every pending write: 20 ms for the handles of 9000 viewers, 12 ms for the resources.
  ...['nodejs_active_handles', 'nodejs_active_requests', 'nodejs_active_resources'],
  // It lists a folder with an entry for each socket, which takes 9 ms with 9000; ours reads only the number.
  'process_open_fds',
  // A timer of 10 ms measures them: it takes half of the CPU of a channel without viewers. Ours, event_loop_lag_seconds,
  // comes from the timers that the engine has anyway.
  ...['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map((what) => `nodejs_eventloop_lag_${what}_seconds`),
])

/** The period of the timer that prom-client starts for the lag of the event loop: as rare as it can be. */
const LAG_TIMER_MS = 3_600_000

/**
 * Call once per engine, when a node needs its metrics: from then on an observer measures the garbage collector.
 * prom-client cannot stop it.
 */
export function withDefaultMetrics(registry: MetricsRegistry): MetricsRegistry {
  const register = new Registry()
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: LAG_TIMER_MS })
  for (const { name } of register.getMetricsAsArray()) {
    const metric = register.getSingleMetric(name)
    if (metric !== undefined && !LEFT_OUT.has(name)) registry.adopt(metric)
  }
  return registry
}
