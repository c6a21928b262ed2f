// The metrics of an output `hls`.
import type { MetricDeclaration, NodeContext } from '@millrace/engine/plugin'
import type { HlsOutput } from './hls-output.js'

/** Bytes per second: 256 kb/s to 64 Mb/s. */
const THROUGHPUTS = [32e3, 64e3, 128e3, 256e3, 512e3, 1e6, 2e6, 4e6, 8e6]

export const hlsMetrics: readonly MetricDeclaration[] = [
  {
    name: 'hls_segments_total',
    kind: 'counter',
    help: 'Segments published; those of all renditions at a time are one.',
  },
  { name: 'hls_gaps_total', kind: 'counter', help: 'Gaps published: times at which no rendition has media.' },
  {
    name: 'hls_discontinuities_total',
    kind: 'counter',
    help: 'Discontinuities published, that at the start included.',
  },
  { name: 'hls_forced_cuts_total', kind: 'counter', help: 'Segments that end although no key frame follows.' },
  {
    name: 'hls_lost_total',
    kind: 'counter',
    help: 'Places in a rendition where packets are missing: the engine has dropped them, or a node before this one has left them out until a key frame, as `gop` does when a source has reconnected.',
  },
  { name: 'hls_segments_without_memory_total', kind: 'counter', help: 'Segments for which there was no memory.' },
  { name: 'hls_target_duration_seconds', kind: 'gauge', help: 'EXT-X-TARGETDURATION; 0 before the first segment.' },
  { name: 'hls_longest_gop_seconds', kind: 'gauge', help: 'The longest GOP so far.' },
  { name: 'hls_memory_bytes', kind: 'gauge', help: 'Memory of the segments, that kept for reuse included.' },
  { name: 'hls_waiting_requests', kind: 'gauge', help: 'Requests that wait for the first segment.' },
  { name: 'hls_grants', kind: 'gauge', help: 'Grants that are valid: sessions of viewers whom `auth` has admitted.' },
  { name: 'hls_players', kind: 'gauge', help: 'Viewers whose players report about themselves (CMCD).' },
  {
    name: 'hls_player_stalls_total',
    kind: 'counter',
    help: 'How often the buffer of a player that reports ran empty.',
  },
  {
    name: 'hls_player_rate_bytes',
    kind: 'gauge',
    help: 'Bytes per second of what reporting players play, on average; 0 if none reports.',
  },
  {
    ...{ name: 'hls_player_buffer_seconds', kind: 'histogram', buckets: [0.5, 1, 2, 4, 8, 16, 32, 64] },
    help: 'Media that players hold, by their reports, at most one a second of each viewer.',
  },
  {
    ...{ name: 'hls_player_throughput_bytes', kind: 'histogram', buckets: THROUGHPUTS },
    help: 'Bytes per second that players measure, by their reports, at most one a second of each viewer.',
  },
]

export function readMetrics(context: NodeContext, output: HlsOutput): void {
  const { presentation, waiting, known } = output
  const { counters } = presentation
  context.readMetric('hls_segments_total', () => counters.segments)
  context.readMetric('hls_gaps_total', () => counters.gaps)
  context.readMetric('hls_discontinuities_total', () => counters.discontinuities)
  context.readMetric('hls_forced_cuts_total', () => counters.forcedCuts)
  context.readMetric('hls_lost_total', () => presentation.losses)
  context.readMetric('hls_segments_without_memory_total', () => counters.withoutMemory)
  context.readMetric('hls_target_duration_seconds', () => presentation.life?.targetSeconds ?? 0)
  context.readMetric('hls_longest_gop_seconds', () => presentation.longestGopSeconds)
  context.readMetric('hls_memory_bytes', () => presentation.memoryBytes)
  context.readMetric('hls_waiting_requests', () => waiting.size)
  context.readMetric('hls_grants', () => known.grants.size)
  context.readMetric('hls_players', () => known.reports.players)
  context.readMetric('hls_player_stalls_total', () => known.reports.stalls)
  context.readMetric('hls_player_rate_bytes', () => known.reports.averageBitsPerSecond / 8)
}
