// The stream that FFmpeg makes of a source. Each subscription starts it once; the error that ends the subscription comes
// when FFmpeg and everything that it has started are gone, so there are never two of them.
import type { Json, ProcessExit, Received, Source } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { findFfmpeg } from '../installation/ffmpeg-need.js'
import { inputArguments } from './input-arguments.js'
import { InputRun } from './input-run.js'
import type { InputRunParts } from './input-run.js'
import { sourceKind } from './source-kind.js'

export type FfmpegSourceParts = Omit<InputRunParts, 'program' | 'noteExit'>

export class FfmpegSource implements Source<Received> {
  readonly chunks: Observable<Received>
  /** Only if the source can wait. */
  readonly hold?: () => Disposable
  readonly #parts: FfmpegSourceParts
  readonly #holds = new Set<{ inner: Disposable | undefined }>()
  readonly #stopping = new Set<Promise<void>>()
  #run: InputRun | undefined
  #starts = 0
  #lastExit: Json = null

  constructor(parts: FfmpegSourceParts) {
    this.#parts = parts
    const { options$, context } = parts
    if (sourceKind(options$.value) !== 'live') this.hold = () => this.#hold()
    this.chunks = new Observable((subscriber) => this.#start(subscriber))
    context.readMetric('ffmpeg_starts_total', () => this.#starts)
    // The engine masks the passwords that stand in the arguments.
    const command = ['ffmpeg', ...inputArguments(options$.value)].join(' ').slice(0, 4096)
    context.details(() => ({
      command,
      pid: this.#run?.pid ?? null,
      starts: this.#starts,
      lastExit: this.#lastExit,
    }))
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
    const program = findFfmpeg(this.#parts.processes)
    const run = new InputRun(subscriber, { ...this.#parts, program, noteExit: (exit) => this.#noteExit(exit) })
    if (run.pid !== undefined) this.#starts++
    this.#run = run
    for (const held of this.#holds) held.inner = run.hold()
    return () => this.#end(run)
  }

  #noteExit({ code, signal, text, lastLines }: ProcessExit): void {
    const { clock } = this.#parts
    const at = new Date(clock.wallMs(clock.nowMs())).toISOString()
    this.#lastExit = { at, code, signal, text, stderr: [...lastLines] }
  }

  #end(run: InputRun | undefined): void {
    if (run === undefined) return
    if (this.#run === run) this.#run = undefined
    const stopping = run.stop()
    this.#stopping.add(stopping)
    void stopping.then(() => this.#stopping.delete(stopping))
  }
}
