// Transform `gop`: cuts a transport stream into groups of pictures.
import { choice, CLOCK, defineTransform, duration } from '@millrace/engine/plugin'
import type { AnyChunk, Clock, SnapshotsState, Inlet, NodeContext, Options, Transform } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import { z } from 'zod'
import { GopCutter } from './gop-cutter.js'
import type { CutterState, GopCutterSettings, GopFault } from './gop-cutter.js'

const options = z.strictObject({
  maxDuration: duration({ min: 100 }).prefault('30s').meta({
    description:
      'If no key frame has arrived for this long before the first GOP, or no picture at all within one, the node is degraded. With `joins: nearest`, also the longest GOP. Longer GOPs are healthy.',
    reload: 'live',
  }),
  joins: choice('wait', 'nearest').default('wait').meta({
    description:
      'Where viewers start if a GOP is longer than their window: `wait` at its end, at the next key frame; `nearest` at any picture after `maxDuration`, damaged until the next key frame.',
    reload: 'live',
  }),
})

export default defineTransform({
  type: 'gop',
  summary: 'Cuts a transport stream into groups of pictures (GOPs) without delaying it.',
  consumes: ['ts'],
  inlets: 'one',
  ports: [{ name: 'out', kind: 'gop' }],
  options,
  inject: { clock: CLOCK },
  metrics: [
    { name: 'gop_duration_seconds', kind: 'gauge', help: 'Length of the last complete GOP, by PTS.' },
    { name: 'keyframe_age_seconds', kind: 'gauge', help: 'Time since the newest key frame arrived.' },
    {
      name: 'gop_skipped_packets_total',
      kind: 'counter',
      help: 'Packets dropped because no key frame preceded them.',
    },
  ],
  examples: [
    { title: 'Cut where decoders can start', yaml: 'gops: { type: gop, from: check }' },
    {
      title: 'Viewers wait at most 5 s, and see damage until the next key frame',
      yaml: 'gops: { type: gop, from: main, maxDuration: 5s, joins: nearest }',
    },
  ],
  open(options$, context, { clock }, previous) {
    // Tables, counters and GOP ids belong to the stream.
    const state = previous?.inlets.added.length === 0 ? previous.state : undefined
    return new GopTransform(options$, context, clock, isPreviousState(state) ? state : undefined)
  },
})

interface PreviousState {
  readonly cutter: CutterState
}

class GopTransform implements Transform, SnapshotsState<PreviousState> {
  readonly #settings: GopCutterSettings
  readonly #cutter: GopCutter
  readonly #context: NodeContext
  readonly #changes: { unsubscribe(): void }
  readonly #clock: Clock
  #fault: GopFault = 'none'

  constructor(
    options$: Options<z.output<typeof options>>,
    context: NodeContext,
    clock: Clock,
    previous: PreviousState | undefined,
  ) {
    const { maxDuration: maxDurationMs, joins } = options$.value
    this.#settings = { maxDurationMs, joins }
    this.#clock = clock
    this.#cutter = new GopCutter(this.#settings, previous?.cutter)
    this.#context = context
    this.#changes = options$.subscribe((next) => {
      this.#settings.maxDurationMs = next.maxDuration
      this.#settings.joins = next.joins
    })
    context.readMetric('gop_duration_seconds', () => this.#cutter.lastGopSeconds)
    context.readMetric('gop_skipped_packets_total', () => this.#cutter.skippedPackets)
    context.readMetric('keyframe_age_seconds', () => {
      const { keyFrameAtMs } = this.#cutter
      return keyFrameAtMs < 0 ? [] : [[{}, (clock.nowMs() - keyFrameAtMs) / 1000]]
    })
    context.details(() => {
      const { keyFrameAtMs, lastGopSeconds: gopSeconds } = this.#cutter
      if (keyFrameAtMs < 0) return {}
      const keyFrameAt = new Date(clock.wallMs(keyFrameAtMs)).toISOString()
      return gopSeconds === 0 ? { keyFrameAt } : { keyFrameAt, gopSeconds }
    })
  }

  apply([inlet]: readonly Inlet[]): Record<string, Observable<AnyChunk>> {
    const out = new Observable<AnyChunk>((subscriber) =>
      inlet?.chunks.subscribe({
        next: (chunk) => {
          if (chunk.kind !== 'ts') return
          for (const cut of this.#cutter.push(chunk)) subscriber.next(cut)
          this.#report()
        },
        complete: () => subscriber.complete(),
      }),
    )
    return { out }
  }

  snapshotState(): PreviousState {
    return { cutter: this.#cutter.state() }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#changes.unsubscribe()
    return Promise.resolve()
  }

  #report(): void {
    const { fault } = this.#cutter
    if (fault === this.#fault) return
    this.#fault = fault
    if (fault === 'none') this.#context.ready()
    else this.#context.degraded(`${fault} for ${this.#cutter.faultSeconds(this.#clock.nowMs())} s`)
  }
}

/** Checked by its members: the previous node may come from another copy of this module. */
function isPreviousState(state: unknown): state is PreviousState {
  if (typeof state !== 'object' || state === null || !('cutter' in state)) return false
  return typeof state.cutter === 'object' && state.cutter !== null
}
