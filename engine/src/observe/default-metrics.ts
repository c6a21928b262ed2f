// The metrics of the process and of Node that prom-client reads, under the names that ready-made dashboards look for.
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { MetricsRegistry } from './metrics-registry.js'

const LEFT_OUT: ReadonlySet<string> = new Set([
  // Gauges with the name of a counter: promtool refuses them.
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  // It lists a folder with an entry for each socket, 9 ms of them at 9000; ours asks for the number.
  'process_open_fds',
])

/**
 * Once for an engine, when somebody wants to scrape it: from then on a timer of 10 ms measures the event loop, and an
 * observer the garbage collector. prom-client has no way to end them.
 */
export function withDefaultMetrics(registry: MetricsRegistry): MetricsRegistry {
  const register = new Registry()
  collectDefaultMetrics({ register })
  for (const { name } of register.getMetricsAsArray()) {
    const metric = register.getSingleMetric(name)
    if (metric !== undefined && !LEFT_OUT.has(name)) registry.adopt(metric)
  }
  return registry
}
