// What the input shows of the streams that it receives now; read at scrape time.
import type { Json, MetricDeclaration, NodeContext } from '@millrace/engine/plugin'
import type { LinkStats } from '@millrace/rtmp'
import type { TsRemuxer } from './ts-remuxer.js'

export interface RtmpStream {
  readonly key: string
  /** `address:port` of the other end. */
  readonly client: string
  /** What its software says it is. */
  readonly agent: string
  readonly remuxer: TsRemuxer
  stats(): LinkStats
}

/** Streams in the details of the status. */
const MOST_SHOWN = 20

export const RTMP_METRICS = [
  { name: 'rtmp_streams', kind: 'gauge', help: 'Streams that are received now.' },
  { name: 'rtmp_received_bytes_total', kind: 'counter', help: 'Bytes received on connections that bring a stream.' },
  {
    name: 'rtmp_frames_total',
    kind: 'counter',
    help: 'Audio and video frames that became part of a transport stream.',
  },
  {
    name: 'rtmp_dropped_frames_total',
    kind: 'counter',
    help: 'Frames and messages that could not be used: damaged, too large, or without a configuration.',
  },
  { name: 'rtmp_rtt_seconds', kind: 'gauge', help: 'Longest round trip of the connections, as pings measure it.' },
] as const satisfies readonly MetricDeclaration[]

export class RtmpStreams {
  readonly #streams = new Set<RtmpStream>()
  /** Of streams that have ended. */
  #past = { bytes: 0, frames: 0, dropped: 0 }

  constructor(context: NodeContext) {
    context.readMetric('rtmp_streams', () => this.#streams.size)
    context.readMetric('rtmp_received_bytes_total', () => this.#total().bytes)
    context.readMetric('rtmp_frames_total', () => this.#total().frames)
    context.readMetric('rtmp_dropped_frames_total', () => this.#total().dropped)
    context.readMetric('rtmp_rtt_seconds', () => this.#longestRttMs() / 1000)
    context.details(() => ({ streams: [...this.#streams].slice(0, MOST_SHOWN).map(describe) }))
  }

  /** Returns what ends it. Safe to repeat. */
  add(stream: RtmpStream): () => void {
    this.#streams.add(stream)
    return () => {
      if (!this.#streams.delete(stream)) return
      this.#past = sum(this.#past, stream)
    }
  }

  #total(): { bytes: number; frames: number; dropped: number } {
    return [...this.#streams].reduce(sum, this.#past)
  }

  #longestRttMs(): number {
    return Math.max(0, ...[...this.#streams].map((stream) => stream.stats().rttMs ?? 0))
  }
}

function sum(total: { bytes: number; frames: number; dropped: number }, { remuxer, stats }: RtmpStream) {
  const { frames, dropped } = remuxer.counters
  return {
    bytes: total.bytes + stats().receivedBytes,
    frames: total.frames + frames,
    dropped: total.dropped + dropped,
  }
}

function describe({ key, client, agent, remuxer, stats }: RtmpStream): Json {
  const { receivedBytes, rttMs } = stats()
  const { frames, dropped } = remuxer.counters
  return {
    ...{ key, client, agent, receivedBytes, frames, dropped },
    rttMs: rttMs === undefined ? null : Math.round(rttMs),
    metadata: shownMetadata(remuxer),
  }
}

function shownMetadata({ metadata }: TsRemuxer): Json {
  return metadata === undefined ? null : (JSON.parse(JSON.stringify(metadata)) as Json)
}
