// What the output shows of its connections; read at scrape time.
import type { Json, MetricDeclaration, NodeContext } from '@millrace/engine/plugin'
import type { LinkStats } from '@millrace/rtmp'
import type { FlvStream } from './flv-stream.js'

export interface ShownConnection {
  /** `host:port` of the other end. */
  readonly peer: string
  stats(): LinkStats
}

export const RTMP_OUTPUT_METRICS: readonly MetricDeclaration[] = [
  { name: 'rtmp_sending_connections', kind: 'gauge', help: 'Connections that the stream is sent to now.' },
  { name: 'rtmp_sent_bytes_total', kind: 'counter', help: 'Bytes sent on connections, headers of chunks included.' },
  {
    name: 'rtmp_send_dropped_messages_total',
    kind: 'counter',
    help: 'Frames that other ends did not get because they were too slow.',
  },
  { name: 'rtmp_send_queue_bytes', kind: 'gauge', help: 'Bytes that wait for connections which take nothing now.' },
  { name: 'rtmp_send_rtt_seconds', kind: 'gauge', help: 'Longest round trip of the connections; 0 if unknown.' },
  { name: 'rtmp_calls_total', kind: 'counter', help: 'Times that a server took the stream, with `mode: push`.' },
  {
    name: 'rtmp_call_failures_total',
    kind: 'counter',
    help: 'Times that a server did not take the stream, or that the connection was lost, with `mode: push`.',
  },
]

/** Connections in the details of the status. */
const MOST_SHOWN = 20

export class SendingConnections {
  readonly #open = new Set<ShownConnection>()
  readonly #ended = { sentBytes: 0, droppedMessages: 0 }

  get size(): number {
    return this.#open.size
  }

  /** Returns what is to be called when it has ended. */
  add(connection: ShownConnection): () => void {
    this.#open.add(connection)
    return () => {
      if (!this.#open.delete(connection)) return
      const { sentBytes, droppedMessages } = connection.stats()
      this.#ended.sentBytes += sentBytes
      this.#ended.droppedMessages += droppedMessages
    }
  }

  show(context: NodeContext, stream: FlvStream, more: () => Readonly<Record<string, Json>>): void {
    context.readMetric('rtmp_sending_connections', () => this.#open.size)
    context.readMetric('rtmp_sent_bytes_total', () => this.#sum('sentBytes') + this.#ended.sentBytes)
    context.readMetric(
      'rtmp_send_dropped_messages_total',
      () => this.#sum('droppedMessages') + this.#ended.droppedMessages,
    )
    context.readMetric('rtmp_send_queue_bytes', () => this.#sum('queuedBytes'))
    context.readMetric('rtmp_send_rtt_seconds', () => this.#longestRttMs() / 1000)
    context.details(() => ({
      ...more(),
      codecs: stream.codecs,
      leftOut: stream.leftOutTracks,
      damaged: stream.damaged,
      ringBytes: stream.ringBytes,
      connections: [...this.#open].slice(0, MOST_SHOWN).map(describe),
    }))
  }

  #sum(name: 'sentBytes' | 'droppedMessages' | 'queuedBytes'): number {
    let sum = 0
    for (const connection of this.#open) sum += connection.stats()[name]
    return sum
  }

  #longestRttMs(): number {
    let longest = 0
    for (const connection of this.#open) longest = Math.max(longest, connection.stats().rttMs ?? 0)
    return longest
  }
}

function describe({ peer, stats }: ShownConnection): Json {
  const { sentBytes, queuedBytes, queuedMs, droppedMessages, rttMs } = stats()
  return {
    ...{ peer, sentBytes, queuedBytes },
    queuedMs: Math.round(queuedMs),
    dropped: droppedMessages,
    rttMs: rttMs === undefined ? null : Math.round(rttMs),
  }
}
