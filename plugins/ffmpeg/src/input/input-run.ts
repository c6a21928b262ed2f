// One run of FFmpeg: from its start until it and its output have ended.
import type { Clock, NodeContext, Options, Processes, ProcessExit, Received } from '@millrace/engine/plugin'
import { cutText, WatchedProcess } from '@millrace/engine/plugin'
import type { Subscriber } from 'rxjs'
import { readLogLine } from '../process/log-line.js'
import { inputArguments } from './input-arguments.js'
import { inputError } from './input-errors.js'
import type { InputOptions } from './input-options.js'
import { isStdin, sourceKind } from './source-kind.js'

/** FFmpeg has nothing to finish. The engine waits 4 s for a node when it stops. */
const GRACE_MS = 2000
/** Of the log, in errors and in the status. */
const MOST_LINES = 5
const LONGEST_LINE = 300
/** What the muxer says of a codec for which a transport stream has no stream type. */
const PRIVATE = /codec (\w{1,40}), is muxed as a private data stream/

export interface InputRunParts {
  readonly options$: Options<InputOptions>
  readonly context: NodeContext
  readonly clock: Clock
  readonly processes: Processes
  /** The path of FFmpeg. */
  readonly program: string
  noteExit(exit: ProcessExit): void
}

export class InputRun {
  readonly #parts: InputRunParts
  readonly #process: WatchedProcess
  /** The newest of its log. */
  readonly #lines: string[] = []
  /** Why it was ended before it ended by itself. */
  #fault: Error | undefined
  /** Codecs that no player finds in a transport stream. */
  readonly #foreign = new Set<string>()

  constructor(subscriber: Subscriber<Received>, parts: InputRunParts) {
    this.#parts = parts
    const { options$, context, clock, processes, program } = parts
    const { url, cwd } = options$.value
    this.#process = new WatchedProcess({
      ...{ clock, processes },
      options: {
        command: [program, ...inputArguments(options$.value)],
        cwd,
        env: { AV_LOG_FORCE_NOCOLOR: '1' },
        stdin: isStdin(url) ? 'inherit' : 'none',
        stdout: 'pipe',
      },
      callbacks: { onLine: (line) => this.#noteLine(line) },
      silentMs: () => options$.value.readTimeout,
      onOutput: (bytes) => subscriber.next(bytes),
      onSilent: (silentMs) => this.#noteSilent(silentMs),
      onExit: (exit) => this.#noteExit(subscriber, exit),
    })
    const { pid } = this.#process
    if (pid === undefined) return
    context.log.info({ program, pid }, 'started')
    context.ready()
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** The pipe fills, and FFmpeg waits. */
  hold(): Disposable {
    return this.#process.hold()
  }

  stop(): Promise<void> {
    return this.#process.stop({ graceMs: GRACE_MS })
  }

  #noteExit(subscriber: Subscriber<Received>, exit: ProcessExit): void {
    const lines = this.#lines.map((line) => cutText(line, LONGEST_LINE))
    const how = exit.failure?.message ?? exit.text.split(': ', 1)[0] ?? ''
    const text = lines.length === 0 ? how : `${how}: ${lines.join(' | ')}`
    this.#parts.noteExit({ ...exit, lastLines: lines, text })
    this.#finish(subscriber, { ...exit, text })
  }

  #noteLine(line: string): ReturnType<typeof readLogLine> {
    const read = readLogLine(line)
    if (this.#lines.length >= MOST_LINES) this.#lines.shift()
    this.#lines.push(read.text)
    const [, codec] = PRIVATE.exec(read.text) ?? []
    if (codec !== undefined) this.#noteForeign(codec)
    return read
  }

  #noteForeign(codec: string): void {
    this.#foreign.add(codec)
    const names = [...this.#foreign].join(' and ')
    this.#parts.context.degraded(
      `a transport stream cannot carry ${names} in a way that players read: set \`video\` or \`audio\` to a codec`,
    )
  }

  #noteSilent(silentMs: number): void {
    this.#fault = inputError('FFMPEG_INPUT_SILENT', `ffmpeg has written nothing for ${silentMs / 1000} s`)
    this.#parts.context.log.warn(this.#fault.message)
    void this.stop()
  }

  #finish(subscriber: Subscriber<Received>, exit: ProcessExit): void {
    if (subscriber.closed) return
    const options = this.#parts.options$.value
    const error = this.#fault ?? exit.failure
    if (exit.failure !== undefined) return subscriber.error(exit.failure)
    if (error === undefined && !isRestarted(options, exit)) {
      if (exit.code !== 0) return subscriber.error(inputError('FFMPEG_INPUT_ENDED', exit.text))
      this.#parts.context.log.info(exit.text)
      return subscriber.complete()
    }
    if (isStdin(options.url)) return subscriber.error(inputError('FFMPEG_INPUT_ENDED', error?.message ?? exit.text))
    subscriber.error(error ?? inputError('FFMPEG_INPUT_EXITED', exit.text))
  }
}

function isRestarted(options: InputOptions, { code }: ProcessExit): boolean {
  const kind = sourceKind(options)
  if (kind === 'stdin') return false
  const { restart } = options
  const when = restart === 'auto' ? (kind === 'live' ? 'always' : 'on-failure') : restart
  return when === 'always' || (when === 'on-failure' && code !== 0)
}
