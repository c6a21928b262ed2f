// Transform `ts-validate`: counts errors of the stream. It passes every packet unchanged, or drops those that its
// options select.
import { CLOCK, defineTransform } from '@millrace/engine/plugin'
import type {
  AnyChunk,
  Clock,
  Inlet,
  Json,
  NodeContext,
  Options,
  SnapshotsState,
  Transform,
} from '@millrace/engine/plugin'
import type { TsChunk } from '@millrace/media/mpegts'
import { Observable } from 'rxjs'
import type { Subscription } from 'rxjs'
import { filterOptions, rulesOf, selectionOf } from './filter-options.js'
import type { FilterOptions } from './filter-options.js'
import { PacketFilter } from './packet-filter.js'
import type { FilterState } from './packet-filter.js'
import { OTHER, TsCounts } from './ts-counts.js'
import type { CountsState } from './ts-counts.js'

/** Minimum time between two log lines about damage. */
const LOG_PERIOD_MS = 1000

export default defineTransform({
  type: 'ts-validate',
  summary:
    'Counts errors in a transport stream (TR 101 290 checks 1.1, 1.2, 1.4, 2.1 and 2.2) and scrambled packets. Packets pass unchanged, except those that its options drop.',
  consumes: ['ts'],
  inlets: 'one',
  ports: [{ name: 'out', kind: 'ts' }],
  options: filterOptions,
  inject: { clock: CLOCK },
  metrics: [
    {
      name: 'ts_sync_losses_total',
      kind: 'counter',
      help: 'TR 101 290 1.1: losses of packet synchronisation.',
    },
    {
      name: 'ts_sync_byte_errors_total',
      kind: 'counter',
      help: 'TR 101 290 1.2: packets dropped for a wrong sync byte.',
    },
    {
      name: 'ts_continuity_errors_total',
      kind: 'counter',
      help: 'TR 101 290 1.4: continuity counters that do not follow the previous one.',
      labels: ['pid'],
    },
    {
      name: 'ts_transport_errors_total',
      kind: 'counter',
      help: 'TR 101 290 2.1: packets with transport_error_indicator.',
    },
    {
      name: 'ts_crc_errors_total',
      kind: 'counter',
      help: 'TR 101 290 2.2: sections with a wrong CRC.',
      labels: ['pid'],
    },
    {
      name: 'ts_scrambled_packets_total',
      kind: 'counter',
      help: 'Packets with a scrambled payload.',
      labels: ['pid'],
    },
    {
      name: 'ts_pcr_jitter_seconds',
      kind: 'histogram',
      help: 'How far from its due time each PCR arrived, by the PCRs before it. Arrival is that of the read which brought it, so batches of a sender or of the system count too.',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5],
    },
    {
      name: 'ts_av_offset_seconds',
      kind: 'gauge',
      help: 'How much later the sound is to be decoded than the picture that comes with it, mean of 10 s. A steady value is the interleaving of the multiplexer; one that drifts is lost synchronism.',
    },
  ],
  examples: [
    { title: 'Monitor an input', yaml: 'check: { type: ts-validate, from: main }' },
    {
      title: 'One program of a multiplex, without null packets',
      yaml: 'check: { type: ts-validate, from: main, program: 2, nullPackets: drop }',
    },
    {
      title: 'Drop the second audio track',
      yaml: 'check: { type: ts-validate, from: main, pids: { exclude: [0x102] } }',
    },
  ],
  open(options$, context, { clock }, previous) {
    // Tables and counters belong to the stream.
    const state = previous?.inlets.added.length === 0 ? previous.state : undefined
    return new ValidateTransform(options$, context, clock, isPreviousState(state) ? state : undefined)
  },
})

interface PreviousState {
  readonly counts: CountsState
  readonly filter: FilterState
}

class ValidateTransform implements Transform, SnapshotsState<PreviousState> {
  readonly #counts: TsCounts
  readonly #context: NodeContext
  readonly #options$: Options<FilterOptions>
  readonly #filter: PacketFilter
  readonly #timer: Disposable
  readonly #changes: Subscription
  #isDamaged = false
  #isEmpty = false
  #obstacle = ''

  constructor(
    options$: Options<FilterOptions>,
    context: NodeContext,
    clock: Clock,
    previous: PreviousState | undefined,
  ) {
    this.#context = context
    this.#options$ = options$
    const jitter = context.histogram('ts_pcr_jitter_seconds')
    this.#counts = new TsCounts(previous?.counts, (seconds) => jitter.observe(seconds))
    const before = previous === undefined ? undefined : { ...previous.filter, seenTables: previous.counts.tables }
    this.#filter = new PacketFilter(rulesOf(options$.value), selectionOf(options$.value), before)
    this.#timer = clock.every(LOG_PERIOD_MS, () => {
      this.#counts.measure(clock.nowMs())
      this.#report()
    })
    this.#changes = options$.subscribe((options) => (this.#filter.rules = rulesOf(options)))
    context.readMetric('ts_sync_losses_total', () => this.#counts.syncLosses)
    context.readMetric('ts_sync_byte_errors_total', () => this.#counts.syncByteErrors)
    context.readMetric('ts_transport_errors_total', () => this.#counts.transportErrors)
    context.readMetric('ts_continuity_errors_total', () =>
      byPid(this.#counts.continuityErrors, this.#counts.countedPids()),
    )
    context.readMetric('ts_crc_errors_total', () => byPid(this.#counts.crcErrors, this.#counts.tablePids()))
    context.readMetric('ts_scrambled_packets_total', () =>
      byPid(this.#counts.scrambledPackets, this.#counts.countedPids()),
    )
    context.readMetric('ts_av_offset_seconds', () => {
      const { avOffsetMs } = this.#counts.timing
      return avOffsetMs === undefined ? [] : [[{}, avOffsetMs / 1000]]
    })
    context.details(() => this.#details())
  }

  /** Errors by the short names of TR 101 290, when clock and units come, and what each PID carries. */
  #details(): Record<string, Json> {
    const { syncLosses, syncByteErrors, transportErrors, continuityErrors, crcErrors } = this.#counts
    const CC = sum(continuityErrors)
    const checks = { sync: syncLosses, sbyte: syncByteErrors, CC, TEI: transportErrors, CRC: sum(crcErrors) }
    const scrambledPackets = sum(this.#counts.scrambledPackets)
    const timing = this.#counts.timing.status()
    return {
      ...{ checks, continuityErrors: CC, scrambledPackets },
      ...(Object.keys(timing).length === 0 ? {} : { timing }),
      streams: this.#counts.streams(),
    }
  }

  apply([inlet]: readonly Inlet[]): Record<string, Observable<AnyChunk>> {
    if (inlet === undefined) return {}
    const out = new Observable<AnyChunk>((subscriber) =>
      inlet.chunks.subscribe({
        next: (chunk) => {
          if (chunk.kind !== 'ts') return
          for (const left of this.#push(chunk)) subscriber.next(left)
        },
        complete: () => subscriber.complete(),
      }),
    )
    return { out }
  }

  snapshotState(): PreviousState {
    return { counts: this.#counts.state(), filter: this.#filter.state() }
  }

  /** Counts errors on the incoming stream, including packets that are dropped. */
  #push(chunk: TsChunk): readonly TsChunk[] {
    if (this.#counts.push(chunk)) this.#isDamaged = true
    const left = this.#filter.push(chunk)
    const { isEmpty, obstacle } = this.#filter
    if (isEmpty !== this.#isEmpty || obstacle !== this.#obstacle) this.#noteObstacle()
    return left
  }

  #noteObstacle(): void {
    const { isEmpty, obstacle } = this.#filter
    this.#isEmpty = isEmpty
    this.#obstacle = obstacle
    const { program } = this.#options$.value
    const missing = program === undefined ? 'none of the selected PIDs' : `no program ${program} with the selected PIDs`
    if (isEmpty) this.#context.degraded(`the stream has ${missing}`)
    else if (obstacle !== '') this.#context.degraded(obstacle)
    else this.#context.ready()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#changes.unsubscribe()
    this.#timer[Symbol.dispose]()
    return Promise.resolve()
  }

  #report(): void {
    if (!this.#isDamaged) return
    this.#isDamaged = false
    const { syncLosses, syncByteErrors, transportErrors, continuityErrors, crcErrors, scrambledPackets } = this.#counts
    const sums = Object.entries({ syncLosses, syncByteErrors, transportErrors }).filter(([, count]) => count > 0)
    const pids = Object.entries({ continuityErrors, crcErrors, scrambledPackets }).flatMap(([name, counts]) => {
      const errors = [...counts].filter(([, count]) => count > 0)
      return errors.length === 0 ? [] : [[name, Object.fromEntries(errors)] as const]
    })
    this.#context.log.warn(Object.fromEntries([...sums, ...pids]), 'damaged stream, totals')
  }
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0
  for (const count of counts.values()) total += count
  return total
}

/** Those without errors have a row too: Prometheus sees no increase in a series that begins with one. */
function byPid(counts: ReadonlyMap<string, number>, pids: Iterable<number>): [{ pid: string }, number][] {
  const rows = new Map([[OTHER, 0]])
  for (const pid of pids) rows.set(String(pid), 0)
  for (const [pid, count] of counts) rows.set(pid, count)
  return [...rows].map(([pid, count]) => [{ pid }, count])
}

/** Checked by its members: the previous node may come from another copy of this module. */
function isPreviousState(state: unknown): state is PreviousState {
  return typeof state === 'object' && state !== null && 'counts' in state && 'filter' in state
}
