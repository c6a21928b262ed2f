// The metrics of a listener, read from its plain numbers at scrape time.
import { CORE_METRICS } from './core-metrics.js'
import type { MetricRead } from '../plugin/contract.js'
import type { MetricsRegistry } from './metrics-registry.js'

/** What the metrics of a listener are read from. */
export interface ListenerReadings {
  readonly name: string
  readonly openConnections: number
  readonly counters: {
    readonly connections: number
    readonly refused: ReadonlyMap<string, number>
    /** HTTP only, all three. */
    readonly requests?: number
    readonly live?: number
    readonly badHeads?: ReadonlyMap<string, number>
    /** UDP only, all three. */
    readonly receivedDatagrams?: number
    readonly sentDatagrams?: number
    readonly unsentDatagrams?: number
  }
  /** Undefined without TLS. */
  readonly certificate:
    { readonly expiresAtMs: number; readonly reloads: number; readonly failedReloads: number } | undefined
}

type Name = Extract<(typeof CORE_METRICS)[number]['name'], `listener_${string}`>

/** Adds the series of one listener. Disposing the result removes them. */
export function addListenerMetrics(
  registry: MetricsRegistry,
  listener: ListenerReadings,
  isBound: () => boolean,
): Disposable {
  const labels = { listener: listener.name }
  const added: Disposable[] = []
  const add = (name: Name, value: MetricRead): void => {
    const declaration = CORE_METRICS.find((metric) => metric.name === name)
    if (declaration !== undefined) added.push(registry.add(declaration, labels, value))
  }
  const { counters } = listener
  add('listener_up', () => Number(isBound()))
  if (counters.receivedDatagrams === undefined) {
    add('listener_connections', () => listener.openConnections)
    add('listener_accepted_total', () => counters.connections)
  } else {
    add('listener_datagrams_total', () => [
      [{ result: 'received' }, counters.receivedDatagrams ?? 0],
      [{ result: 'sent' }, counters.sentDatagrams ?? 0],
      [{ result: 'unsent' }, counters.unsentDatagrams ?? 0],
    ])
  }
  if (counters.requests !== undefined) {
    add('listener_requests_total', () => [
      [{ kind: 'ordinary' }, counters.requests ?? 0],
      [{ kind: 'live' }, counters.live ?? 0],
    ])
  }
  add('listener_refused_total', () => refusedRows(counters))
  if (listener.certificate !== undefined) {
    add('listener_certificate_expiry_timestamp_seconds', () => (listener.certificate?.expiresAtMs ?? 0) / 1000)
    add('listener_certificate_reloads_total', () => [
      [{ result: 'taken' }, listener.certificate?.reloads ?? 0],
      [{ result: 'refused' }, listener.certificate?.failedReloads ?? 0],
    ])
  }
  return { [Symbol.dispose]: () => added.forEach((metric) => metric[Symbol.dispose]()) }
}

/** A connection that failed before its request and one that failed within it share a reason. */
function refusedRows({ refused, badHeads = new Map() }: ListenerReadings['counters']): [{ reason: string }, number][] {
  const all = new Map(refused)
  for (const [reason, count] of badHeads) all.set(reason, (all.get(reason) ?? 0) + count)
  return [...all].map(([reason, count]) => [{ reason }, count])
}
