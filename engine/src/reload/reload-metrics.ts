// The metrics of reloads, read at scrape time.
import { RELOAD_RESULTS } from '../observe/reload-report.js'
import { CORE_METRICS, type CoreMetricName, RELOAD_HISTOGRAM } from '../observe/core-metrics.js'
import type { MetricsRegistry } from '../observe/metrics-registry.js'
import type { MetricRead } from '../plugin/contract.js'
import type { ConfigSyncState } from './config-sync-state.js'

/** Adds the metrics until disposed. */
export function addReloadMetrics(
  registry: Pick<MetricsRegistry, 'add' | 'addHistogram'>,
  syncState: Pick<ConfigSyncState, 'inSync' | 'runningId' | 'counts' | 'durations' | 'viewersLost'>,
): Disposable {
  const added: Disposable[] = []
  const add = (name: CoreMetricName, read: MetricRead): void => {
    const declaration = CORE_METRICS.find((metric) => metric.name === name)
    if (declaration !== undefined) added.push(registry.add(declaration, {}, read))
  }
  add('config_in_sync', () => Number(syncState.inSync))
  add('config_info', () => [[{ id: syncState.runningId }, 1]])
  // Each has a row from the start: a counter that appears with its first count has no rate.
  add('reloads_total', () => RELOAD_RESULTS.map((result) => [{ result }, syncState.counts.get(result) ?? 0]))
  add('reload_viewers_lost_total', () => syncState.viewersLost)
  added.push(registry.addHistogram(RELOAD_HISTOGRAM.name, RELOAD_HISTOGRAM.help, {}, syncState.durations))
  return { [Symbol.dispose]: () => added.forEach((metric) => metric[Symbol.dispose]()) }
}
