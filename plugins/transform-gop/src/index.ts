// Transform `gop`: cuts a transport stream into groups of pictures.
import { CLOCK, defineTransform, duration } from '@millrace/engine/plugin'
import type { AnyChunk, Clock, SnapshotsState, Inlet, NodeContext, Options, Transform } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import { z } from 'zod'
import { GopCutter } from './gop-cutter.js'
import type { CutterState } from './gop-cutter.js'

const options = z.strictObject({
  maxDuration: duration({ min: 100 }).prefault('10s').meta({
    description:
      'If no key frame arrives for this long, a GOP begins at the next video unit anyway, and the node is degraded.',
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
  examples: [{ title: 'Cut where decoders can start', yaml: 'gops: { type: gop, from: check }' }],
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
  readonly #settings: { maxDurationMs: number }
  readonly #cutter: GopCutter
  readonly #context: NodeContext
  readonly #changes: { unsubscribe(): void }
  #isWithoutKeyFrames = false

  constructor(
    options$: Options<z.output<typeof options>>,
    context: NodeContext,
    clock: Clock,
    previous: PreviousState | undefined,
  ) {
    this.#settings = { maxDurationMs: options$.value.maxDuration }
    this.#cutter = new GopCutter(this.#settings, previous?.cutter)
    this.#context = context
    this.#changes = options$.subscribe(({ maxDuration }) => {
      this.#settings.maxDurationMs = maxDuration
    })
    context.readMetric('gop_duration_seconds', () => this.#cutter.lastGopSeconds)
    context.readMetric('gop_skipped_packets_total', () => this.#cutter.skippedPackets)
    context.readMetric('keyframe_age_seconds', () => {
      const { keyFrameAtMs } = this.#cutter
      return keyFrameAtMs < 0 ? [] : [[{}, (clock.nowMs() - keyFrameAtMs) / 1000]]
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
    const { isWithoutKeyFrames } = this.#cutter
    if (isWithoutKeyFrames === this.#isWithoutKeyFrames) return
    this.#isWithoutKeyFrames = isWithoutKeyFrames
    if (isWithoutKeyFrames) this.#context.degraded('no key frames')
    else this.#context.ready()
  }
}

/** Checked by its members: the previous node may come from another copy of this module. */
function isPreviousState(state: unknown): state is PreviousState {
  if (typeof state !== 'object' || state === null || !('cutter' in state)) return false
  return typeof state.cutter === 'object' && state.cutter !== null
}
