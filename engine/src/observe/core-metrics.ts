// The metrics that the engine itself keeps, in addition to those that plugins declare. Rows are read from plain numbers
// at scrape time.
import type { AudienceStatus } from './audience-status.js'
import type { PublisherStatus } from './publisher-status.js'
import type { RouteStatus } from './route-status.js'
import type { MetricDeclaration, MetricRead } from '../plugin/contract.js'
import type { MetricsRegistry } from './metrics-registry.js'

export const CORE_METRICS = [
  {
    name: 'config_in_sync',
    kind: 'gauge',
    help: '1 if the running configuration is the one on disk, else 0.',
  },
  {
    name: 'config_info',
    kind: 'gauge',
    help: 'Always 1; `id` is a short hash of the running configuration without its secrets.',
    labels: ['id'],
  },
  {
    name: 'reloads_total',
    kind: 'counter',
    help: 'Reloads by result: `applied`, `unchanged`, `invalid` (mistakes in the files), `refused` (needs a restart), `failed` (nothing changed), `rolled-back` (a changed node failed), `superseded` (by a newer request).',
    labels: ['result'],
  },
  {
    name: 'reload_viewers_lost_total',
    kind: 'counter',
    help: 'Viewers whose session was ended by a reload.',
  },
  {
    name: 'node_up',
    kind: 'gauge',
    help: '1 if the node is ready or idle, else 0; 0 too for an input that is connected but receives no packets.',
    labels: ['pipeline', 'node', 'type'],
  },
  {
    name: 'node_restarts_total',
    kind: 'counter',
    help: 'Times the engine reopened the node or subscribed to it again.',
    labels: ['pipeline', 'node', 'type'],
  },
  {
    name: 'node_event_loop_stalls_total',
    kind: 'counter',
    help: 'Calls of the code of the node that blocked the event loop for 200 ms or more.',
    labels: ['pipeline', 'node', 'type'],
  },
  {
    name: 'node_event_loop_stall_seconds_total',
    kind: 'counter',
    help: 'Total time of these calls.',
    labels: ['pipeline', 'node', 'type'],
  },
  {
    name: 'node_received_bytes_total',
    kind: 'counter',
    help: 'Bytes received by the node.',
    labels: ['pipeline', 'node', 'type'],
  },
  {
    name: 'node_sent_bytes_total',
    kind: 'counter',
    help: 'Bytes passed on by the node; for outputs, sent to all viewers and other destinations.',
    labels: ['pipeline', 'node', 'type'],
  },
  {
    name: 'edge_queue_bytes',
    kind: 'gauge',
    help: 'Bytes queued in front of a node that is on hold.',
    labels: ['pipeline', 'node', 'type', 'from'],
  },
  {
    name: 'drops_total',
    kind: 'counter',
    help: 'Times data was dropped: `edge` (a node was on hold for too long), `junction` (packets where two generations join), `overload` (an input received more than could be processed in time, or more than its `maxRate`), `repeated` (packets that a server sent again after a reconnect), `skip` (the window passed a viewer), `refused` (a viewer was refused).',
    labels: ['pipeline', 'node', 'type', 'reason'],
  },
  {
    name: 'input_connected',
    kind: 'gauge',
    help: '1 if the input is connected to its source, or waits for one by design, else 0; 1 even if no packets come over the connection; 0 for a pipe without a writer, and for UDP without datagrams.',
    labels: ['pipeline', 'node', 'type'],
  },
  {
    name: 'input_clock_jumps_total',
    kind: 'counter',
    help: 'Times the clock of the stream jumped within a connection, by more than a second back or ten forward. A stream of one program continues on its timeline.',
    labels: ['pipeline', 'node', 'type'],
  },
  {
    name: 'input_believed_tables_total',
    kind: 'counter',
    help: 'PAT and PMT sections that are used although their CRC is wrong, because they repeat unchanged.',
    labels: ['pipeline', 'node', 'type'],
  },
  {
    name: 'published_streams',
    kind: 'gauge',
    help: 'Streams that are published to the input, those whose publisher has just left included.',
    labels: ['pipeline', 'node', 'type'],
  },
  {
    name: 'publishers_refused_total',
    kind: 'counter',
    help: 'Publishers that were refused: `unauthorized`, `forbidden`, `busy` (the key is in use), `overloaded` (too many are being admitted, or have failed), `failed` (the auth provider fails), `full` (`maxStreams`), `bad-key`, `not-media` (no transport stream), `closing`, `offline`.',
    labels: ['pipeline', 'node', 'type', 'reason'],
  },
  { name: 'output_clients', kind: 'gauge', help: 'Connected viewers.', labels: ['pipeline', 'node', 'type'] },
  {
    name: 'output_clients_limit',
    kind: 'gauge',
    help: 'Limits of viewers: at `max` further ones are refused, at `soft` an event is emitted; 0 for no limit.',
    labels: ['pipeline', 'node', 'type', 'limit'],
  },
  {
    name: 'output_client_connects_total',
    kind: 'counter',
    help: 'Viewers that were admitted.',
    labels: ['pipeline', 'node', 'type'],
  },
  {
    name: 'output_clients_refused_total',
    kind: 'counter',
    help: 'Viewers that were refused.',
    labels: ['pipeline', 'node', 'type', 'reason'],
  },
  {
    name: 'auth_refused_total',
    kind: 'counter',
    help: 'Requests that no auth provider admitted.',
    labels: ['reason'],
  },
  {
    name: 'access_log_dropped_lines_total',
    kind: 'counter',
    help: 'Lines of the access log that were dropped because the buffer was full or writing failed.',
  },
  {
    name: 'log_dropped_lines_total',
    kind: 'counter',
    help: 'Lines of the log that were dropped because stderr was not read in time or writing failed.',
  },
  {
    name: 'listener_up',
    kind: 'gauge',
    help: '1 if its address is bound; 0 while it is tried again, because it could not be bound again after a reload had failed.',
    labels: ['listener'],
  },
  {
    name: 'listener_connections',
    kind: 'gauge',
    help: 'Open connections.',
    labels: ['listener'],
  },
  {
    name: 'listener_accepted_total',
    kind: 'counter',
    help: 'Connections accepted, including those that were then refused.',
    labels: ['listener'],
  },
  {
    name: 'listener_requests_total',
    kind: 'counter',
    help: 'Requests: `live` for a live path, `ordinary` for anything else.',
    labels: ['listener', 'kind'],
  },
  {
    name: 'listener_refused_total',
    kind: 'counter',
    help: 'Connections, requests and datagrams refused: by a limit (`max-connections`, `max-per-address`, `unread`, `descriptors`), because no node served the listener (`unserved`), by the protocol of a plugin, for a reason that its page lists, because of what the client sent (`tls` on a plain port, `plain-http` on a port with TLS, `proxy-header`, `header` ...), or because it did not send enough (`timeout`, `tls-timeout`, `incomplete`).',
    labels: ['listener', 'reason'],
  },
  {
    name: 'listener_datagrams_total',
    kind: 'counter',
    help: 'Datagrams of a listener over UDP: `received`, `sent`, or `unsent` (the system did not take it; counted as `sent` too).',
    labels: ['listener', 'result'],
  },
  {
    name: 'listener_certificate_expiry_timestamp_seconds',
    kind: 'gauge',
    help: 'Expiry of the certificate in use, Unix time.',
    labels: ['listener'],
  },
  {
    name: 'listener_certificate_reloads_total',
    kind: 'counter',
    help: 'Times changed certificate files were read: `taken`, or `refused` with the previous certificate kept.',
    labels: ['listener', 'result'],
  },
  {
    name: 'output_window_bytes',
    kind: 'gauge',
    help: 'Memory of the window that all viewers of the output share.',
    labels: ['pipeline', 'node', 'type'],
  },
] as const satisfies readonly MetricDeclaration[]

/** A histogram with fixed bounds, seconds. */
export const RELOAD_HISTOGRAM = {
  name: 'reload_duration_seconds',
  help: 'Time from reading the files to the last cutover, or to the failure.',
} as const

/** Histograms of outputs: fixed bounds, seconds. */
export const CORE_HISTOGRAMS = [
  { name: 'output_start_delay_seconds', help: 'Time from the request of a viewer to its first byte.' },
  {
    name: 'output_latency_seconds',
    help: 'Time from the arrival of data to when the output passes it on. `http-ts`: until it is written to viewers that are up to date. `hls`: of the first byte of a segment, until the segment is listed. Other outputs (`udp`, `srt`, `rtmp`, `exec`, ...): until they take it to send it at once, with the time that it has waited because they could take no more; what their own buffers add is in their own metrics.',
  },
] as const

/** What the engine has put right in a stream. */
interface StreamOddities {
  readonly clockJumps: number
  readonly believedTables: number
  readonly repeatedPackets: number
}

/** What the metrics of a node are read from. */
export interface NodeReadings {
  readonly kind: string
  readonly isUp: boolean
  readonly isConnected: boolean
  readonly restarts: number
  readonly stalls: number
  readonly stalledMs: number
  readonly receivedBytes: number
  readonly sentBytes: number
  /** At junctions; undefined for a node whose bytes the engine does not frame. */
  readonly droppedPackets: number | undefined
  readonly losses: number | undefined
  /** Of an input whose bytes the engine frames. */
  readonly oddities: StreamOddities | undefined
  readonly edges: readonly { readonly id: string; readonly queuedBytes: number; readonly drops: number }[]
  readonly takesPublishers: boolean
  /** Of an input that takes published streams, once it is open. */
  readonly publishers: PublisherStatus | undefined
  /** Of an output with a live route. */
  readonly route: RouteStatus | undefined
  /** Of an output that serves viewers. */
  readonly audience: AudienceStatus | undefined
}

export type CoreMetricName = (typeof CORE_METRICS)[number]['name']

type AddMetric = (name: CoreMetricName, value: MetricRead) => void

/** Adds the series of one node, read at each scrape. Disposing the result removes them. */
export function addNodeMetrics(
  registry: MetricsRegistry,
  labels: Readonly<Record<string, string>>,
  readings: NodeReadings,
): Disposable {
  const added: Disposable[] = []
  const all: Disposable = { [Symbol.dispose]: () => added.forEach((metric) => metric[Symbol.dispose]()) }
  const add: AddMetric = (name, value) => {
    const declaration = CORE_METRICS.find((metric) => metric.name === name)
    if (declaration !== undefined) added.push(registry.add(declaration, labels, value))
  }
  const { kind } = readings
  add('node_up', () => Number(readings.isUp))
  add('node_restarts_total', () => readings.restarts)
  add('node_event_loop_stalls_total', () => readings.stalls)
  add('node_event_loop_stall_seconds_total', () => readings.stalledMs / 1000)
  add('node_received_bytes_total', () => readings.receivedBytes)
  add('node_sent_bytes_total', () => readings.sentBytes)
  add('edge_queue_bytes', () => readings.edges.map(({ id, queuedBytes }) => [{ from: id }, queuedBytes] as const))
  add('drops_total', () => dropRows(readings))
  if (kind === 'input') addInputMetrics(add, readings)
  if (readings.takesPublishers) {
    add('published_streams', () => (readings.publishers === undefined ? [] : [[{}, readings.publishers.streams]]))
    add('publishers_refused_total', () =>
      [...(readings.publishers?.refused ?? [])].map(([reason, count]) => [{ reason }, count]),
    )
  }
  if (kind !== 'output') return all
  const viewers = (value: (audience: AudienceStatus) => number, more = {}) => {
    return (): [Readonly<Record<string, string>>, number][] => {
      const { audience } = readings
      return audience === undefined ? [] : [[more, value(audience)]]
    }
  }
  add(
    'output_clients',
    viewers(({ counters }) => counters.clients),
  )
  add(
    'output_clients_limit',
    viewers(({ limits }) => limits.max, { limit: 'max' }),
  )
  add(
    'output_clients_limit',
    viewers(({ limits }) => limits.soft, { limit: 'soft' }),
  )
  add('output_clients_refused_total', () =>
    [...(readings.audience?.counters.refused ?? [])].map(([reason, count]) => [{ reason }, count]),
  )
  add(
    'output_client_connects_total',
    viewers(({ counters }) => counters.connects),
  )
  add('output_window_bytes', () => {
    const { route } = readings
    return route === undefined ? [] : [[{}, route.windowBytes]]
  })
  return all
}

function addInputMetrics(add: AddMetric, readings: NodeReadings): void {
  add('input_connected', () => Number(readings.isConnected))
  add('input_clock_jumps_total', () => oddRows(readings, 'clockJumps'))
  add('input_believed_tables_total', () => oddRows(readings, 'believedTables'))
}

function oddRows({ oddities }: NodeReadings, what: keyof StreamOddities): [Record<string, string>, number][] {
  return oddities === undefined ? [] : [[{}, oddities[what]]]
}

function dropRows({
  kind,
  edges,
  droppedPackets,
  losses,
  oddities,
  audience,
}: NodeReadings): [{ reason: string }, number][] {
  const rows: [{ reason: string }, number][] = []
  if (droppedPackets !== undefined) rows.push([{ reason: 'junction' }, droppedPackets])
  if (oddities !== undefined) rows.push([{ reason: 'repeated' }, oddities.repeatedPackets])
  if (losses !== undefined) rows.push([{ reason: 'overload' }, losses])
  if (kind === 'input') return rows
  if (kind !== 'service' && kind !== 'listener')
    rows.push([{ reason: 'edge' }, edges.reduce((sum, edge) => sum + edge.drops, 0)])
  if (audience === undefined) return rows
  let refused = 0
  for (const count of audience.counters.refused.values()) refused += count
  rows.push([{ reason: 'skip' }, audience.counters.skips], [{ reason: 'refused' }, refused])
  return rows
}
