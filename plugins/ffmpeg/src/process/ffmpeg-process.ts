// One run of ffmpeg: its pipes, its progress, its log, and its end. Every output is always read, since one that is not stops
// all others, and then ffmpeg does not even take a signal. Restarting is up to the owner.
import type { Clock, Process, Processes, ProcessExit } from '@millrace/engine/plugin'
import { cutText } from '@millrace/engine/plugin'
import { readLogLine } from './log-line.js'
import { ProgressReader } from './progress-reader.js'
import type { Progress } from './progress-reader.js'
import { StallWatch } from './stall-watch.js'

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2000
/** How often it looks for stalls, and at the memory. */
const CHECK_MS = 1000
/** The first descriptor of an output. */
const FIRST_PIPE = 3
/** Lines kept for `FfmpegEnd.lines`. */
const KEPT_LINES = 20
/** Of them, in `FfmpegEnd.text`. */
const SHOWN_LINES = 5
const LONGEST_LINE = 300

export interface FfmpegRunSettings {
  readonly processes: Processes
  readonly clock: Clock
  /** ffmpeg; maybe a wrapper of it, with arguments of its own. */
  readonly program: readonly string[]
  /** All arguments but `-progress`, `-loglevel`, `-nostdin` and `-hide_banner`, which are put in front. */
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** It reads `pipe:0`. Without, input is taken to flow always. */
  readonly hasInput: boolean
  /** Without `hasInput`: `pipe:0` is the stdin of the engine. */
  readonly readsStdin?: boolean
  /** How many outputs it has: `pipe:3`, `pipe:4` and so on, see `outputPipe`. */
  readonly outputs: number
  /** Its only output is `pipe:1`, which can be held. */
  readonly toStdout?: boolean
  readonly niceness?: number
  /** More memory than this, and it is ended; 0 for any. */
  readonly memoryBytes?: number
  /** An output that is silent for this long while input flows, and it is ended; 0 never. Read each second. */
  silentMs(): number
  /** The same for the first byte, if that is longer. */
  readonly firstMs?: number
  /** The bytes are valid only during the call. */
  onOutput(output: number, bytes: Uint8Array): void
  onProgress?(progress: Progress): void
  /** A line of its log, without its level. */
  onLine?(text: string): void
  /** It takes more, after `write` has returned false. */
  onDrain?(): void
  /** Called once, when it and all that it has started have ended, or if it could not be started. */
  onEnd(end: FfmpegEnd): void
}

export interface FfmpegEnd extends ProcessExit {
  /** Why it was ended before it ended by itself: it was silent, took too much memory, or what `endFor` was told. */
  readonly fault?: FfmpegFault
  /** Its newest lines of the log with their levels removed, oldest first. */
  readonly lines: readonly string[]
  /** From the first output of any pipe to the end; 0 if there was none. */
  readonly workedMs: number
}

export interface FfmpegFault {
  readonly kind: 'silent' | 'memory' | 'undecodable'
  readonly text: string
}

/** The address of an output, for the arguments. */
export function outputPipe(output: number): string {
  return `pipe:${FIRST_PIPE + output}`
}

/** The command that is run, as it is shown. */
function ffmpegCommand(settings: FfmpegRunSettings): string[] {
  const { program, args } = settings
  const progress = ['-progress', outputPipe(pipesOf(settings)), '-stats_period', '1']
  return [...program, '-hide_banner', '-nostdin', '-loglevel', 'level+warning', ...progress, ...args]
}

/** Of its outputs. The pipe of its progress follows. */
function pipesOf({ outputs, toStdout = false }: FfmpegRunSettings): number {
  return toStdout ? 0 : outputs
}

export class FfmpegProcess {
  readonly command: readonly string[]
  readonly #settings: FfmpegRunSettings
  readonly #process: Process
  readonly #watch: StallWatch
  readonly #lines: string[] = []
  readonly #timer: Disposable
  #holds = 0
  #firstOutputMs: number | undefined
  #fault: FfmpegFault | undefined

  /** Starts it. Never throws: `onEnd` tells. */
  constructor(settings: FfmpegRunSettings) {
    const { clock, processes, outputs, cwd, env, niceness, hasInput, readsStdin = false, toStdout = false } = settings
    const pipes = pipesOf(settings)
    this.#settings = settings
    this.command = ffmpegCommand(settings)
    this.#watch = new StallWatch(
      { outputs, silentMs: () => settings.silentMs(), firstMs: settings.firstMs ?? 0 },
      clock.nowMs(),
    )
    if (!hasInput) this.noteInput()
    this.#timer = clock.every(CHECK_MS, () => this.#check())
    const progress = new ProgressReader((said) => settings.onProgress?.(said))
    this.#process = processes.start(
      {
        command: this.command,
        stdin: hasInput ? 'pipe' : readsStdin ? 'inherit' : 'none',
        stdout: toStdout ? 'pipe' : 'none',
        pipes: pipes + 1,
        ...(cwd === undefined ? {} : { cwd }),
        ...(env === undefined ? {} : { env }),
        ...(niceness === undefined ? {} : { niceness }),
      },
      {
        onOutput: (bytes) => this.#noteOutput(0, bytes),
        onPipe: (pipe, bytes) => (pipe === pipes ? progress.push(bytes) : this.#noteOutput(pipe, bytes)),
        onDrain: () => settings.onDrain?.(),
        onLine: (line) => this.#noteLine(line),
        onExit: (exit) => this.#noteExit(exit),
      },
    )
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Bytes that it has been given and has not taken yet. */
  get pendingBytes(): number {
    return this.#process.pendingBytes
  }

  get residentBytes(): number {
    return this.#process.residentBytes
  }

  /** There is input, whether it takes it or not: outputs are expected. */
  noteInput(): void {
    this.#watch.noteInput(this.#settings.clock.nowMs())
  }

  /** False if it takes nothing more for now. What is written is not copied. Safe when it has ended. */
  write(bytes: Uint8Array): boolean {
    this.noteInput()
    return this.#process.write(bytes)
  }

  /** With `toStdout`: the pipe fills, and it waits, until all holds are disposed. */
  hold(): Disposable {
    this.#holds++
    const inner = this.#process.hold()
    return {
      [Symbol.dispose]: () => {
        this.#holds--
        this.#watch.restart(this.#settings.clock.nowMs())
        inner[Symbol.dispose]()
      },
    }
  }

  get isHeld(): boolean {
    return this.#holds > 0
  }

  /** It gets no more input, encodes what it has, and ends. */
  endInput(): void {
    this.#process.endInput()
  }

  /** SIGTERM, and SIGKILL after 2 s; all outputs are read meanwhile. Resolves after `onEnd`. */
  stop(graceMs = GRACE_MS): Promise<void> {
    this.#timer[Symbol.dispose]()
    // One that waits for input looks at the signal only when some comes, or the end of it.
    this.#process.endInput()
    return this.#process.stop({ graceMs })
  }

  /** Ends it for this reason. */
  endFor(fault: FfmpegFault): void {
    this.#fault = fault
    void this.stop()
  }

  #noteOutput(output: number, bytes: Uint8Array): void {
    const nowMs = this.#settings.clock.nowMs()
    this.#firstOutputMs ??= nowMs
    this.#watch.noteOutput(output, nowMs)
    this.#settings.onOutput(output, bytes)
  }

  #noteLine(line: string): ReturnType<typeof readLogLine> {
    const read = readLogLine(line)
    if (this.#lines.length >= KEPT_LINES) this.#lines.shift()
    this.#lines.push(read.text)
    this.#settings.onLine?.(read.text)
    return read
  }

  #noteExit(exit: ProcessExit): void {
    this.#timer[Symbol.dispose]()
    const { clock, onEnd } = this.#settings
    const workedMs = this.#firstOutputMs === undefined ? 0 : Math.max(1, clock.nowMs() - this.#firstOutputMs)
    const fault = this.#fault
    // Of a flood, the last lines are not among those that are logged.
    const last = exit.lastLines.map((line) => readLogLine(line).text).filter((line) => !this.#lines.includes(line))
    const lines = [...this.#lines, ...last]
    onEnd({ ...exit, text: textOf(exit, lines), lines, workedMs, ...(fault === undefined ? {} : { fault }) })
  }

  #check(): void {
    const { clock, hasInput, memoryBytes = 0 } = this.#settings
    const nowMs = clock.nowMs()
    // A source that waits for it to take more gives nothing more meanwhile.
    if (!hasInput || this.pendingBytes > 0) this.#watch.noteInput(nowMs)
    const silent = this.#watch.check(nowMs, CHECK_MS)
    if (silent !== undefined && !this.isHeld) {
      return this.endFor({ kind: 'silent', text: `ffmpeg gives nothing on output ${silent}, though it gets input` })
    }
    const resident = memoryBytes === 0 ? 0 : this.residentBytes
    if (resident > memoryBytes) {
      const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)
      this.endFor({ kind: 'memory', text: `ffmpeg takes ${mib(resident)} MiB, more than ${mib(memoryBytes)} MiB` })
    }
  }
}

/** As the text of the exit, with lines as they are in the log. */
function textOf({ failure, text }: ProcessExit, lines: readonly string[]): string {
  if (failure !== undefined) return text
  const [how = ''] = text.split(': ', 1)
  const said = lines.slice(-SHOWN_LINES).map((line) => cutText(line, LONGEST_LINE))
  return said.length === 0 ? how : `${how}: ${said.join(' | ')}`
}
