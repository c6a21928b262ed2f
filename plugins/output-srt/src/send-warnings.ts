// What makes packets leave in bursts, or too late to be sent again, with options that are valid.
import type { WarningContext } from '@millrace/engine/plugin'
import { windowOf } from './srt-output-options.js'
import type { SrtOutputOptions } from './srt-output-options.js'

/** SRT sends what comes together over the time until the next batch; longer ones eat the latency of the connection. */
const LONGEST_BATCH_MS = 20

export function sendWarnings(options: SrtOutputOptions, around: WarningContext): readonly string[] {
  const { batchMs } = around
  const late = batchMs !== undefined && batchMs > LONGEST_BATCH_MS
  return [
    ...(late ? [`its inputs have batches of ${batchMs} ms, which delay SRT as long: set "batch: 20ms"`] : []),
    ...windowWarnings(options, around),
    ...pushWarnings(options, around),
  ]
}

/** Of a push in a pattern pipeline. */
function pushWarnings(
  { mode, address = '', streamId = '', holdFor = 0 }: SrtOutputOptions,
  { lingerMs }: WarningContext,
): readonly string[] {
  if (mode !== 'caller' || lingerMs === undefined) return []
  const isNamed = `${address} ${streamId}`.includes('${stream}')
  return [
    ...(isNamed ? [] : ['all streams are published to one receiver: put ${stream} into "streamId" or "address"']),
    ...(holdFor > lingerMs
      ? [
          `"holdFor" (${holdFor} ms) is longer than "linger" of the input (${lingerMs} ms), after which the stream ends: then the receiver is left, too`,
        ]
      : []),
  ]
}

/** Packets are sent again from the window, for as long as a viewer may ask for them. */
function windowWarnings(options: SrtOutputOptions, around: WarningContext): readonly string[] {
  const { mode, listener: name = '' } = options
  if (mode !== 'listener') return []
  const { durationMs } = windowOf(options)
  const ofListener = (around.listener(name)?.options ?? {}) as {
    readonly maxLatency?: number
    readonly latency?: number
  }
  const latency = options.latency ?? ofListener.latency ?? 0
  const maxLatency = ofListener.maxLatency ?? 0
  if (durationMs >= Math.max(maxLatency, latency)) return []
  const longest =
    latency > maxLatency ? `the "latency" (${latency} ms)` : `"maxLatency" of the listener "${name}" (${maxLatency} ms)`
  return [`"window.duration" (${durationMs} ms) is shorter than ${longest}: packets that viewers miss may be gone`]
}
