// What the connections of a listener have sent and received, by stream and mode. Counters include connections that have
// ended, and never fall while their stream is remembered.
import type { MetricDeclaration, NodeContext } from '@millrace/engine/plugin'
import type { ConnectionStats, StreamMode } from '@millrace/srt'
import type { SrtConnection } from '@millrace/srt/node'

type Read = (stats: ConnectionStats) => number
type Row = readonly [name: string, help: string, read: Read]

const COUNTERS: readonly Row[] = [
  ['sent_packets_total', 'Data packets sent, retransmissions included.', ({ send }) => send.packets],
  ['sent_bytes_total', 'Bytes of data packets sent, retransmissions included.', ({ send }) => send.bytes],
  ['sent_retransmitted_total', 'Data packets sent again.', ({ send }) => send.retransmitted],
  ['sent_lost_total', 'Data packets that the other end reported as missing.', ({ send }) => send.lost],
  ['sent_dropped_total', 'Data packets given up as too late to be sent.', ({ send }) => send.dropped],
  ['received_packets_total', 'Data packets received, retransmissions included.', ({ receive }) => receive.packets],
  ['received_bytes_total', 'Bytes of data packets received, retransmissions included.', ({ receive }) => receive.bytes],
  [
    'received_retransmitted_total',
    'Data packets received that were sent again.',
    ({ receive }) => receive.retransmitted,
  ],
  [
    'received_lost_total',
    'Data packets missing when a later one came; most come later.',
    ({ receive }) => receive.lost,
  ],
  ['received_dropped_total', 'Data packets that never came in time.', ({ receive }) => receive.dropped],
  ['received_undecryptable_total', 'Data packets that could not be decrypted.', ({ receive }) => receive.undecryptable],
  [
    'received_refused_total',
    'Data packets of the wrong kind: plain on a secured connection, encrypted on a plain one, or of a packet filter.',
    ({ receive }) => receive.refused,
  ],
  ['received_overflowed_total', 'Data packets too far ahead for the buffer.', ({ receive }) => receive.overflowed],
  [
    'key_refusals_total',
    'Keys of the other end that were not taken: wrong, or used before.',
    ({ keyRefusals }) => keyRefusals,
  ],
  ['control_invalid_packets_total', 'Control packets that made no sense.', ({ controlInvalid }) => controlInvalid],
  ['control_sent_packets_total', 'Control packets sent.', ({ controlSent }) => controlSent],
  ['control_sent_bytes_total', 'Bytes of control packets sent.', ({ controlSentBytes }) => controlSentBytes],
  ['control_received_packets_total', 'Control packets received.', ({ controlReceived }) => controlReceived],
  [
    'control_received_bytes_total',
    'Bytes of control packets received.',
    ({ controlReceivedBytes }) => controlReceivedBytes,
  ],
]
/** The largest of the connections. */
const LARGEST: readonly Row[] = [
  ['rtt_seconds', 'Longest round trip of the connections.', ({ rttUs }) => rttUs / 1e6],
  [
    'rtt_variance_seconds',
    'Largest variance of round trips of the connections.',
    ({ rttVarianceUs }) => rttVarianceUs / 1e6,
  ],
  [
    'latency_seconds',
    'Longest latency in force of the connections.',
    ({ receive, send }) => Math.max(receive.latencyUs, send.latencyUs) / 1e6,
  ],
]
/** The sum of the connections. */
const SUMS: readonly Row[] = [
  ['receive_buffer_bytes', 'Bytes that wait for their time to be delivered.', ({ receive }) => receive.bufferedBytes],
  ['send_buffer_bytes', 'Bytes kept until the other ends have them.', ({ send }) => send.bufferedBytes],
]
const LABELS = ['stream', 'mode']
/** Of those that nobody publishes or requests, the oldest are forgotten. */
const MOST_STREAMS = 500

export const STREAM_METRICS: readonly MetricDeclaration[] = [
  ...COUNTERS.map(([name, help]) => declare(name, help, 'counter')),
  ...[...LARGEST, ...SUMS].map(([name, help]) => declare(name, help, 'gauge')),
]

interface Counted {
  readonly labels: { readonly stream: string; readonly mode: StreamMode }
  readonly open: Set<SrtConnection>
  /** Of connections that have ended, by the place of the counter. */
  readonly ended: number[]
}

export class StreamCounters {
  readonly #streams = new Map<string, Counted>()

  add(connection: SrtConnection, stream: string, mode: StreamMode): void {
    const key = `${mode} ${stream}`
    const counted = this.#streams.get(key) ?? {
      labels: { stream, mode },
      open: new Set(),
      ended: COUNTERS.map(() => 0),
    }
    // The latest is last.
    this.#streams.delete(key)
    this.#streams.set(key, counted)
    counted.open.add(connection)
    void connection.closed.then(() => {
      counted.open.delete(connection)
      const stats = connection.stats()
      for (const [at, [, , read]] of COUNTERS.entries()) counted.ended[at] = (counted.ended[at] ?? 0) + read(stats)
    })
    this.#forget()
  }

  show(context: Pick<NodeContext, 'readMetric'>): void {
    for (const [at, [name, , read]] of COUNTERS.entries())
      context.readMetric(nameOf(name), () => this.#rows(({ ended, open }) => (ended[at] ?? 0) + sum(open, read)))
    for (const [name, , read] of LARGEST)
      context.readMetric(nameOf(name), () => this.#rows(({ open }) => largest(open, read)))
    for (const [name, , read] of SUMS) context.readMetric(nameOf(name), () => this.#rows(({ open }) => sum(open, read)))
  }

  *#rows(read: (counted: Counted) => number): Iterable<readonly [Counted['labels'], number]> {
    for (const counted of this.#streams.values()) yield [counted.labels, read(counted)]
  }

  #forget(): void {
    if (this.#streams.size <= MOST_STREAMS) return
    for (const [key, { open }] of this.#streams) {
      if (open.size > 0) continue
      this.#streams.delete(key)
      return
    }
  }
}

function declare(name: string, help: string, kind: 'counter' | 'gauge'): MetricDeclaration {
  return { name: nameOf(name), kind, help, labels: LABELS }
}

function nameOf(name: string): string {
  return `srt_stream_${name}`
}

function sum(connections: Iterable<SrtConnection>, read: Read): number {
  let total = 0
  for (const connection of connections) total += read(connection.stats())
  return total
}

function largest(connections: Iterable<SrtConnection>, read: Read): number {
  let most = 0
  for (const connection of connections) most = Math.max(most, read(connection.stats()))
  return most
}
