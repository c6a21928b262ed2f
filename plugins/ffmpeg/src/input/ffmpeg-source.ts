// The stream that FFmpeg makes of a source. Each subscription starts it once; the error that ends the subscription comes
// when FFmpeg and everything that it has started are gone, so there are never two of them.
import type { Received, Source } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { findFfmpeg } from '../installation/ffmpeg-need.js'
import { InputCounters } from './input-counters.js'
import { InputRun } from './input-run.js'
import type { InputRunParts } from './input-run.js'
import { InputState } from './input-state.js'
import { sourceKind } from './source-kind.js'

export type FfmpegSourceParts = Pick<InputRunParts, 'options$' | 'context' | 'clock' | 'processes'>

export class FfmpegSource implements Source<Received> {
  readonly chunks: Observable<Received>
  /** Only if the source can wait. */
  readonly hold?: () => Disposable
  readonly #parts: FfmpegSourceParts
  readonly #holds = new Set<{ inner: Disposable | undefined }>()
  readonly #counters = new InputCounters()
  readonly #state: InputState
  readonly #stopping = new Set<Promise<void>>()
  #run: InputRun | undefined

  constructor(parts: FfmpegSourceParts) {
    this.#parts = parts
    const { options$, context } = parts
    if (sourceKind(options$.value) !== 'live') this.hold = () => this.#hold()
    this.chunks = new Observable((subscriber) => this.#start(subscriber))
    this.#state = new InputState({ context, options: options$.value })
    this.#counters.register(context, { run: () => this.#run, speed: () => this.#state.speed })
  }

  /** FFmpeg and everything that it has started have ended when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(this.#run)
    await Promise.all(this.#stopping)
  }

  #hold(): Disposable {
    const held = { inner: this.#run?.hold() }
    this.#holds.add(held)
    return {
      [Symbol.dispose]: () => {
        if (this.#holds.delete(held)) held.inner?.[Symbol.dispose]()
      },
    }
  }

  #start(subscriber: Subscriber<Received>): () => void {
    const { clock, processes } = this.#parts
    const program = findFfmpeg(processes)
    this.#state.reset()
    const run = new InputRun(subscriber, {
      ...{ ...this.#parts, program },
      noteLine: (from, text) => {
        if (from === this.#run) this.#state.noteLine(text)
      },
      noteProgress: (from, wasHeld) => {
        if (from === this.#run) this.#state.noteProgress(clock.nowMs(), from.progress?.mediaMs, wasHeld)
      },
      noteExit: (from, exit) => this.#counters.noteEnd(from, exit, clock.wallMs(clock.nowMs())),
    })
    this.#counters.noteStart(run)
    this.#run = run
    for (const held of this.#holds) held.inner = run.hold()
    return () => this.#end(run)
  }

  #end(run: InputRun | undefined): void {
    if (run === undefined) return
    if (this.#run === run) this.#run = undefined
    const stopping = run.stop()
    this.#stopping.add(stopping)
    void stopping.then(() => this.#stopping.delete(stopping))
  }
}
