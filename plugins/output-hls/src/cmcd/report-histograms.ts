// The histograms of what players report.
import type { NodeContext } from '@millrace/engine/plugin'
import type { ReportHistograms } from './player-reports.js'

export function reportHistograms(context: NodeContext): ReportHistograms {
  const [buffer, throughput] = [
    context.histogram('hls_player_buffer_seconds'),
    context.histogram('hls_player_throughput_bytes'),
  ]
  return {
    observeBuffer: (seconds) => buffer.observe(seconds),
    observeThroughput: (bitsPerSecond) => throughput.observe(bitsPerSecond / 8),
  }
}
