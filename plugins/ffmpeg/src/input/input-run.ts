// One run of FFmpeg: from its start until it and its output have ended.
import type { Clock, NodeContext, Options, Processes, ProcessExit, Received } from '@millrace/engine/plugin'
import { cutText } from '@millrace/engine/plugin'
import type { Subscriber } from 'rxjs'
import { FfmpegProcess } from '../process/ffmpeg-process.js'
import type { FfmpegEnd, FfmpegFault } from '../process/ffmpeg-process.js'
import type { Progress } from '../process/progress-reader.js'
import { inputArguments } from './input-arguments.js'
import { inputError } from './input-errors.js'
import type { InputOptions } from './input-options.js'
import { isStdin, sourceKind } from './source-kind.js'

/** Of the log, in errors and in the status. */
const MOST_LINES = 5
const LONGEST_LINE = 300

export interface InputRunParts {
  readonly options$: Options<InputOptions>
  readonly context: NodeContext
  readonly clock: Clock
  readonly processes: Processes
  /** The path of FFmpeg. */
  readonly program: string
  /** A line of its log. */
  noteLine(run: InputRun, text: string): void
  /** Each second. `wasHeld`: since the last time. */
  noteProgress(run: InputRun, wasHeld: boolean): void
  noteExit(run: InputRun, exit: ProcessExit): void
}

export class InputRun {
  readonly #parts: InputRunParts
  readonly #process: FfmpegProcess
  #wasHeld = false
  progress: Progress | undefined

  constructor(subscriber: Subscriber<Received>, parts: InputRunParts) {
    this.#parts = parts
    const { options$, context, clock, processes, program } = parts
    const { url, cwd, niceness, maxMemory } = options$.value
    this.#process = new FfmpegProcess({
      ...{ clock, processes, cwd, niceness, memoryBytes: maxMemory },
      program: [program],
      args: inputArguments(options$.value),
      env: { AV_LOG_FORCE_NOCOLOR: '1' },
      hasInput: false,
      readsStdin: isStdin(url),
      outputs: 1,
      toStdout: true,
      silentMs: () => options$.value.readTimeout,
      onOutput: (_, bytes) => subscriber.next(bytes),
      onLine: (text) => parts.noteLine(this, text),
      onProgress: (progress) => {
        this.progress = progress
        parts.noteProgress(this, this.#wasHeld)
        this.#wasHeld = this.#process.isHeld
      },
      onEnd: (end) => this.#noteEnd(subscriber, end),
    })
    const { pid } = this.#process
    if (pid === undefined) return
    context.log.info({ program, pid }, 'started')
    context.ready()
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get command(): readonly string[] {
    return this.#process.command
  }

  get residentBytes(): number {
    return this.#process.residentBytes
  }

  /** The pipe fills, and FFmpeg waits. */
  hold(): Disposable {
    this.#wasHeld = true
    return this.#process.hold()
  }

  /** It has nothing to finish. */
  stop(): Promise<void> {
    return this.#process.stop()
  }

  #noteEnd(subscriber: Subscriber<Received>, end: FfmpegEnd): void {
    const lines = end.lines.slice(-MOST_LINES).map((line) => cutText(line, LONGEST_LINE))
    const how = end.failure?.message ?? end.text.split(': ', 1)[0] ?? ''
    const text = lines.length === 0 ? how : `${how}: ${lines.join(' | ')}`
    this.#parts.noteExit(this, { ...end, lastLines: lines, text })
    this.#finish(subscriber, { ...end, text })
  }

  #finish(subscriber: Subscriber<Received>, end: FfmpegEnd): void {
    if (subscriber.closed) return
    const options = this.#parts.options$.value
    if (end.failure !== undefined) return subscriber.error(end.failure)
    const error = end.fault === undefined ? undefined : this.#errorOf(end.fault)
    if (error === undefined && !isRestarted(options, end)) {
      if (end.code !== 0) return subscriber.error(inputError('FFMPEG_INPUT_ENDED', end.text))
      this.#parts.context.log.info(end.text)
      return subscriber.complete()
    }
    if (isStdin(options.url)) return subscriber.error(inputError('FFMPEG_INPUT_ENDED', error?.message ?? end.text))
    subscriber.error(error ?? inputError('FFMPEG_INPUT_EXITED', end.text))
  }

  #errorOf({ kind, text }: FfmpegFault): Error {
    if (kind === 'memory') return inputError('FFMPEG_INPUT_MEMORY', text)
    const { readTimeout } = this.#parts.options$.value
    return inputError('FFMPEG_INPUT_SILENT', `ffmpeg has written nothing for ${readTimeout / 1000} s`)
  }
}

function isRestarted(options: InputOptions, { code }: ProcessExit): boolean {
  const kind = sourceKind(options)
  if (kind === 'stdin') return false
  const { restart } = options
  const when = restart === 'auto' ? (kind === 'live' ? 'always' : 'on-failure') : restart
  return when === 'always' || (when === 'on-failure' && code !== 0)
}
