// What the output shows of its connections; read at scrape time.
import type { Json, MetricDeclaration, NodeContext, StreamWindow } from '@millrace/engine/plugin'
import type { SendStats } from '@millrace/srt'
import type { ConnectionTotals } from '@millrace/srt/node'
import type { SrtBroadcast } from './srt-broadcast.js'

const COUNTERS = [
  ['srt_sent_packets_total', 'packets', 'Data packets sent, retransmissions included.'],
  ['srt_sent_bytes_total', 'bytes', 'Bytes of data packets sent, retransmissions included.'],
  ['srt_sent_retransmitted_total', 'retransmitted', 'Data packets that were sent again.'],
  ['srt_sent_lost_total', 'lost', 'Packets that the other end reported as missing.'],
  ['srt_sent_dropped_total', 'dropped', 'Packets that were given up because they were too late.'],
  ['srt_naks_received_total', 'naksReceived', 'Reports of missing packets that came.'],
] as const satisfies readonly (readonly [string, keyof SendStats, string])[]

export const SRT_OUTPUT_METRICS: readonly MetricDeclaration[] = [
  { name: 'srt_sending_connections', kind: 'gauge', help: 'Connections that the stream is sent to now.' },
  ...COUNTERS.map(([name, , help]) => ({ name, kind: 'counter' as const, help })),
  { name: 'srt_send_rtt_seconds', kind: 'gauge', help: 'Longest round trip of the connections.' },
  { name: 'srt_send_buffer_bytes', kind: 'gauge', help: 'Bytes that the other ends have yet to acknowledge.' },
  {
    name: 'srt_send_window_bytes',
    kind: 'gauge',
    help: 'Memory of the newest part of the stream, which all connections share.',
  },
  { name: 'srt_send_wait_seconds', kind: 'gauge', help: 'How long packets wait so that they leave evenly.' },
  { name: 'srt_send_latency_seconds', kind: 'gauge', help: 'Longest latency in force of the connections.' },
  {
    name: 'srt_calls_total',
    kind: 'counter',
    help: 'Connections to the receiver that were made, with `mode: caller`.',
  },
  {
    name: 'srt_call_failures_total',
    kind: 'counter',
    help: 'Connections to the receiver that could not be made or were lost, with `mode: caller`.',
  },
  {
    name: 'srt_skips_total',
    kind: 'counter',
    help: 'How often a receiver went on at the next key frame because packets were too late for it.',
  },
]

/** Connections in the details of the status. */
const MOST_SHOWN = 20

export function showConnections(
  context: NodeContext,
  totals: ConnectionTotals,
  broadcast: SrtBroadcast,
  window: StreamWindow,
): void {
  context.readMetric('srt_sending_connections', () => totals.size)
  for (const [name, counter] of COUNTERS) context.readMetric(name, () => totals.sent(counter))
  context.readMetric('srt_send_rtt_seconds', () => totals.largest(({ rttUs }) => rttUs) / 1e6)
  context.readMetric('srt_send_buffer_bytes', () => totals.open(({ send }) => send.bufferedBytes))
  context.readMetric('srt_send_latency_seconds', () => totals.largest(({ send }) => send.latencyUs) / 1e6)
  context.readMetric('srt_send_window_bytes', () => window.retainedBytes)
  context.readMetric('srt_send_wait_seconds', () => broadcast.waitMs / 1000)
  context.details(() => ({
    waitMs: Math.round(broadcast.waitMs),
    connections: [...totals.connections].slice(0, MOST_SHOWN).map(describe),
  }))
}

function describe(connection: Parameters<ConnectionTotals['add']>[0]): Json {
  const { rttUs, isSecured, send } = connection.stats()
  return {
    peer: `${connection.peer.address} port ${connection.peer.port}`,
    rttMs: Math.round(rttUs / 1000),
    latencyMs: Math.round(send.latencyUs / 1000),
    encrypted: isSecured,
    packets: send.packets,
    lost: send.lost,
    retransmitted: send.retransmitted,
    dropped: send.dropped,
    bufferMs: Math.round(send.bufferedUs / 1000),
  }
}
