// What the input shows of its connections; read at scrape time.
import type { Json, MetricDeclaration, NodeContext } from '@millrace/engine/plugin'
import type { ReceiveStats } from '@millrace/srt'
import type { ConnectionTotals } from '@millrace/srt/node'

const COUNTERS = [
  ['srt_received_packets_total', 'packets', 'Data packets received, retransmitted ones included.'],
  ['srt_received_bytes_total', 'bytes', 'Bytes of data packets received, retransmitted ones included.'],
  ['srt_received_retransmitted_total', 'retransmitted', 'Data packets received that were sent again.'],
  ['srt_received_lost_total', 'lost', 'Packets that were missing when a later one came; most come later.'],
  ['srt_received_belated_total', 'belated', 'Packets that came after their time.'],
  ['srt_received_dropped_total', 'dropped', 'Packets that never came in time: they are missing in the stream.'],
  ['srt_received_undecryptable_total', 'undecryptable', 'Packets that could not be decrypted.'],
  ['srt_naks_sent_total', 'naksSent', 'Reports of missing packets that were sent.'],
] as const satisfies readonly (readonly [string, keyof ReceiveStats, string])[]

export const SRT_METRICS: readonly MetricDeclaration[] = [
  { name: 'srt_publishing_connections', kind: 'gauge', help: 'Connections that bring a stream now.' },
  ...COUNTERS.map(([name, , help]) => ({ name, kind: 'counter' as const, help })),
  { name: 'srt_receive_rtt_seconds', kind: 'gauge', help: 'Longest round trip of the connections.' },
  { name: 'srt_receive_buffer_bytes', kind: 'gauge', help: 'Bytes that wait for their time to be delivered.' },
  { name: 'srt_receive_latency_seconds', kind: 'gauge', help: 'Longest latency in force of the connections.' },
]

/** Connections in the details of the status. */
const MOST_SHOWN = 20

export function showConnections(context: NodeContext, totals: ConnectionTotals): void {
  context.readMetric('srt_publishing_connections', () => totals.size)
  for (const [name, counter] of COUNTERS) context.readMetric(name, () => totals.received(counter))
  context.readMetric('srt_receive_rtt_seconds', () => totals.largest(({ rttUs }) => rttUs) / 1e6)
  context.readMetric('srt_receive_buffer_bytes', () => totals.open(({ receive }) => receive.bufferedBytes))
  context.readMetric('srt_receive_latency_seconds', () => totals.largest(({ receive }) => receive.latencyUs) / 1e6)
  context.details(() => ({ connections: [...totals.connections].slice(0, MOST_SHOWN).map(describe) }))
}

function describe(connection: Parameters<ConnectionTotals['add']>[0]): Json {
  const { rttUs, isSecured, receive } = connection.stats()
  return {
    peer: `${connection.peer.address} port ${connection.peer.port}`,
    rttMs: Math.round(rttUs / 1000),
    latencyMs: Math.round(receive.latencyUs / 1000),
    encrypted: isSecured,
    packets: receive.packets,
    lost: receive.lost,
    dropped: receive.dropped,
  }
}
