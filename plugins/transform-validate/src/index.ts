// Transform `ts-validate`: passes every packet through unchanged, and counts what is wrong with the stream.
import { CLOCK, defineTransform } from '@millrace/engine/plugin'
import type { AnyChunk, Clock, Inlet, Logger, NodeContext, Stage } from '@millrace/engine/plugin'
import { tap } from 'rxjs'
import type { Observable } from 'rxjs'
import { z } from 'zod'
import { TsCounts } from './ts-counts.js'

/** How often damage is logged, at most. */
const LOG_PERIOD_MS = 1000

export default defineTransform({
  type: 'ts-validate',
  summary: 'Counts what is wrong with a transport stream; every packet passes unchanged.',
  consumes: ['ts'],
  produces: 'ts',
  inlets: 'one',
  ports: ['out'],
  options: z.strictObject({}),
  inject: { clock: CLOCK },
  metrics: [
    {
      name: 'ts_sync_losses_total',
      kind: 'counter',
      help: 'TR 101 290 1.1: times that packet synchronisation was lost.',
    },
    {
      name: 'ts_sync_byte_errors_total',
      kind: 'counter',
      help: 'TR 101 290 1.2: packets left out for a wrong sync byte.',
    },
    {
      name: 'ts_continuity_errors_total',
      kind: 'counter',
      help: 'TR 101 290 1.4: continuity counters that do not follow the one before.',
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
      help: 'Packets whose payload is scrambled.',
      labels: ['pid'],
    },
  ],
  examples: [{ title: 'Watch what comes in', yaml: 'check: { type: ts-validate, from: main }' }],
  open(_options$, context, { clock }) {
    return new ValidateStage(context, clock)
  },
})

class ValidateStage implements Stage {
  readonly #counts = new TsCounts()
  readonly #log: Logger
  readonly #timer: Disposable
  #isDamaged = false

  constructor(context: NodeContext, clock: Clock) {
    this.#log = context.log
    this.#timer = clock.every(LOG_PERIOD_MS, () => this.#report())
    const counts = this.#counts
    context.readMetric('ts_sync_losses_total', () => counts.syncLosses)
    context.readMetric('ts_sync_byte_errors_total', () => counts.syncByteErrors)
    context.readMetric('ts_transport_errors_total', () => counts.transportErrors)
    context.readMetric('ts_continuity_errors_total', () => byPid(counts.continuityErrors))
    context.readMetric('ts_crc_errors_total', () => byPid(counts.crcErrors))
    context.readMetric('ts_scrambled_packets_total', () => byPid(counts.scrambledPackets))
  }

  apply([inlet]: readonly Inlet[]): Record<string, Observable<AnyChunk>> {
    const noted = tap((chunk: AnyChunk) => {
      if (this.#counts.push(chunk)) this.#isDamaged = true
    })
    return inlet === undefined ? {} : { out: inlet.chunks.pipe(noted) }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]()
    return Promise.resolve()
  }

  #report(): void {
    if (!this.#isDamaged) return
    this.#isDamaged = false
    const { syncLosses, syncByteErrors, transportErrors, continuityErrors, crcErrors, scrambledPackets } = this.#counts
    const pids = { continuityErrors, crcErrors, scrambledPackets }
    const sums = Object.entries(pids).map(([name, counts]) => [name, Object.fromEntries(counts)])
    this.#log.warn(
      { syncLosses, syncByteErrors, transportErrors, ...Object.fromEntries(sums) },
      'damaged stream, totals',
    )
  }
}

function byPid(counts: ReadonlyMap<string, number>): [{ pid: string }, number][] {
  return [...counts].map(([pid, count]) => [{ pid }, count])
}
