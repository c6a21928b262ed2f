// The numbers behind the metrics of the input.
import type { MetricDeclaration, NodeContext } from '@millrace/engine/plugin'
import type { ReorderCounters } from '@millrace/media/rtp'

export const UDP_METRICS: readonly MetricDeclaration[] = [
  { name: 'udp_received_datagrams_total', kind: 'counter', help: 'Datagrams received, also those that were ignored.' },
  {
    name: 'udp_ignored_datagrams_total',
    kind: 'counter',
    help: 'Datagrams that were ignored: empty ones (`empty`), of senders that are not in `source` (`source`), of a second sender (`sender`) or RTP source (`ssrc`) at the same time, RTP with a broken header or far from the sequence (`rtp`).',
    labels: ['reason'],
  },
  {
    name: 'udp_rtp_lost_total',
    kind: 'counter',
    help: 'RTP packets that were missing when those behind them were passed on.',
  },
  {
    name: 'udp_rtp_reordered_total',
    kind: 'counter',
    help: 'RTP packets that arrived behind a later one, and were put in order.',
  },
  {
    name: 'udp_rtp_duplicates_total',
    kind: 'counter',
    help: 'RTP packets that arrived twice; the second was dropped.',
  },
  {
    name: 'udp_rtp_late_total',
    kind: 'counter',
    help: 'RTP packets that arrived after they had been counted as lost.',
  },
  { name: 'udp_receive_buffer_bytes', kind: 'gauge', help: 'Receive buffer that the kernel has granted.' },
  {
    name: 'udp_kernel_drops_total',
    kind: 'counter',
    help: 'Datagrams that the kernel dropped because the receive buffer was full, of all sockets bound to this address (Linux).',
  },
]

type Ignored = 'empty' | 'source' | 'sender' | 'ssrc' | 'rtp'

export interface UdpCounters {
  datagrams: number
  readonly ignored: Record<Ignored, number>
}

export function makeCounters(): UdpCounters {
  return { datagrams: 0, ignored: { empty: 0, source: 0, sender: 0, ssrc: 0, rtp: 0 } }
}

export interface MetricSources {
  readonly counters: UdpCounters
  readonly rtp: ReorderCounters
  receiveBufferBytes(): number
  /** Of the current socket and of those before it. */
  kernelDrops(): number
}

/** Ties the declared metrics to these numbers. */
export function registerMetrics(context: NodeContext, { counters, rtp, ...read }: MetricSources): void {
  context.readMetric('udp_received_datagrams_total', () => counters.datagrams)
  context.readMetric('udp_ignored_datagrams_total', () =>
    Object.entries(counters.ignored).map(([reason, count]) => [{ reason }, count] as const),
  )
  context.readMetric('udp_rtp_lost_total', () => rtp.lost)
  context.readMetric('udp_rtp_reordered_total', () => rtp.reordered)
  context.readMetric('udp_rtp_duplicates_total', () => rtp.duplicates)
  context.readMetric('udp_rtp_late_total', () => rtp.late)
  context.readMetric('udp_receive_buffer_bytes', () => read.receiveBufferBytes())
  context.readMetric('udp_kernel_drops_total', () => read.kernelDrops())
}
