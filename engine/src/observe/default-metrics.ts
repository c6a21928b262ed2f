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
])

/**
 * Call once per engine, when a node needs its metrics: from then on a timer of 10 ms measures the event loop, and an
 * observer the garbage collector. prom-client cannot stop them.
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
