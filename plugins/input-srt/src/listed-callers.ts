// The callers of a listener: those who are connected, with what is known about each, and how many there were.
import type { Clock, Json, MetricDeclaration, NodeContext } from '@millrace/engine/plugin'
import type { StreamMode } from '@millrace/srt'
import type { EndpointStats, SrtArrival, SrtConnection } from '@millrace/srt/node'
import { StreamCounters, STREAM_METRICS } from './stream-counters.js'

/** Shown in the details of the listener. */
const MOST_SHOWN = 100
const MODES: readonly StreamMode[] = ['publish', 'request']

const HANDSHAKE_KINDS = [
  ['inductions', 'induction'],
  ['conclusions', 'conclusion'],
  ['repeatedConclusions', 'repeated'],
  ['badCookies', 'bad-cookie'],
  ['passedOver', 'passed-over'],
  ['malformed', 'malformed'],
  ['unknownIds', 'unknown-id'],
  ['strangers', 'stranger'],
] as const satisfies readonly (readonly [keyof EndpointStats, string])[]

export const LISTENER_METRICS: readonly MetricDeclaration[] = [
  {
    name: 'srt_connections',
    kind: 'gauge',
    help: 'Callers connected now, by mode; handshake: those that wait for a decision.',
    labels: ['mode'],
  },
  { name: 'srt_connections_total', kind: 'counter', help: 'Callers that were connected.', labels: ['mode'] },
  {
    name: 'srt_handshakes_total',
    kind: 'counter',
    help: 'Handshake packets answered, repeated or passed over, and packets that belong to no connection.',
    labels: ['kind'],
  },
  { name: 'srt_rejects_total', kind: 'counter', help: 'Callers rejected.', labels: ['reason'] },
  ...STREAM_METRICS,
]

interface Caller {
  readonly connection: SrtConnection
  readonly arrival: SrtArrival
  readonly mode: StreamMode
  readonly sinceMs: number
}

export class ListedCallers {
  /** Callers that wait for a decision. */
  deciding = 0
  readonly #clock: Pick<Clock, 'nowMs' | 'wallMs'>
  readonly #callers = new Set<Caller>()
  readonly #streams = new StreamCounters()
  readonly #rejects = new Map<string, number>()
  readonly #opened: Record<StreamMode, number> = { publish: 0, request: 0 }

  constructor(clock: Pick<Clock, 'nowMs' | 'wallMs'>) {
    this.#clock = clock
  }

  add(connection: SrtConnection, arrival: SrtArrival, mode: StreamMode): void {
    const caller = { connection, arrival, mode, sinceMs: this.#clock.wallMs(this.#clock.nowMs()) }
    this.#callers.add(caller)
    this.#opened[mode]++
    this.#streams.add(connection, arrival.resource, mode)
    void connection.closed.then(() => this.#callers.delete(caller))
  }

  rejected(reason: string): void {
    this.#rejects.set(reason, (this.#rejects.get(reason) ?? 0) + 1)
  }

  count(mode: StreamMode): number {
    let count = 0
    for (const caller of this.#callers) if (caller.mode === mode) count++
    return count
  }

  show(context: Pick<NodeContext, 'readMetric'>, handshakes: () => EndpointStats): void {
    context.readMetric('srt_connections', () => [
      ...MODES.map((mode) => [{ mode }, this.count(mode)] as const),
      [{ mode: 'handshake' }, this.deciding],
    ])
    context.readMetric('srt_connections_total', () => MODES.map((mode) => [{ mode }, this.#opened[mode]]))
    context.readMetric('srt_handshakes_total', () => {
      const stats = handshakes()
      return HANDSHAKE_KINDS.map(([key, kind]) => [{ kind }, stats[key]])
    })
    context.readMetric('srt_rejects_total', () => [...this.#rejects].map(([reason, count]) => [{ reason }, count]))
    this.#streams.show(context)
  }

  /** The first ones. */
  details(): Json[] {
    return [...this.#callers].slice(0, MOST_SHOWN).map(describe)
  }
}

function describe({ connection, arrival, mode, sinceMs }: Caller): Json {
  const { rttUs, rttVarianceUs, isSecured, controlSent, controlReceived, receive, send } = connection.stats()
  const { client, agent, resource, label } = arrival
  return {
    ...{ client, agent, stream: resource, mode, ...(label === undefined ? {} : { label }) },
    since: new Date(sinceMs).toISOString(),
    encrypted: isSecured,
    rttMs: millis(rttUs),
    rttVarianceMs: millis(rttVarianceUs),
    latencyMs: millis(mode === 'publish' ? receive.latencyUs : send.latencyUs),
    control: { sent: controlSent, received: controlReceived },
    received: {
      ...{ packets: receive.packets, bytes: receive.bytes, retransmitted: receive.retransmitted },
      ...{ lost: receive.lost, belated: receive.belated, dropped: receive.dropped },
      ...{ undecryptable: receive.undecryptable, bufferedBytes: receive.bufferedBytes },
    },
    sent: {
      ...{ packets: send.packets, bytes: send.bytes, retransmitted: send.retransmitted },
      ...{ lost: send.lost, dropped: send.dropped, bufferedBytes: send.bufferedBytes },
    },
  }
}

function millis(us: number): number {
  return Math.round(us / 100) / 10
}
