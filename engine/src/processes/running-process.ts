// One process of a node, and its group: its pipes, its lines on stderr, its end.
import type { Writable } from 'node:stream'
import type { EngineError } from '../errors.js'
import type {
  LineLevel,
  Process,
  ProcessCallbacks,
  ProcessExit,
  ProcessOptions,
  StopOptions,
} from '../plugin/processes.js'
import type { Clock } from '../plugin/tokens.js'
import { EndingGroup } from './ending-group.js'
import { FairReader } from './fair-reader.js'
import { residentBytes, statOf } from './process-group.js'
import type { Reaper } from './reaper.js'
import { nameOf, type Spawned, spawnProgram } from './spawn-program.js'
import { StderrLog } from './stderr-log.js'

/** `write` returns false while this much is waiting. */
const PENDING_BYTES = 256 * 1024
/** After the exit: for its output to arrive, and for the rest of its group to end by itself. */
const OUTPUT_MS = 1000
/** How often it looks whether more comes. After a blocked event loop this comes before what waits in the pipes. */
const LOOK_MS = 500
/** Whoever has left the group, and writes without end. */
const MOST_LOOKS = 20
/** Of a process that is to stop: its last words are read, but nobody waits for more. */
const STOPPING_LOOKS = 2
const GRACE_MS = 5000

interface LineFields {
  readonly pid: number | undefined
  /** Lines before it that were not logged. */
  readonly leftOut?: number
}

export interface RunningProcessSettings {
  readonly clock: Clock
  readonly reaper: Pick<Reaper, 'add' | 'remove'>
  readonly env: Readonly<Record<string, string>>
  /** Set if it must not be started: `onExit` tells. */
  readonly refusal?: EngineError
  /** Enters the scope of the node. */
  enter(run: () => void): void
  writeLine(level: Exclude<LineLevel, 'none'>, line: string, more: LineFields): void
  /** It has ended, and all of its group: called once, after `onExit`. */
  onGone(): void
}

export class RunningProcess implements Process {
  readonly pid: number | undefined
  readonly gone: Promise<void>
  readonly #settings: RunningProcessSettings
  readonly #callbacks: ProcessCallbacks
  readonly #name: string
  readonly #stderr: StderrLog
  #stdin: Writable | undefined
  #output: FairReader | undefined
  #errors: FairReader | undefined
  #pipes: readonly FairReader[] = []
  #group: EndingGroup | undefined
  #isWaiting = false
  #exit: Omit<ProcessExit, 'lastLines' | 'text'> | undefined
  #isOver = false
  #isStopping = false
  #lateOutput: Disposable | undefined
  #looks = 0
  #settleGone: () => void = () => undefined

  constructor(options: ProcessOptions, callbacks: ProcessCallbacks, settings: RunningProcessSettings) {
    this.#settings = settings
    this.#callbacks = callbacks
    const { clock } = settings
    this.#name = nameOf(options.command)
    this.#stderr = new StderrLog({
      clock,
      write: (line, leftOut) => this.#writeLine(line, leftOut),
    })
    this.gone = new Promise((resolve) => (this.#settleGone = resolve))
    const spawned = settings.refusal ?? spawnProgram(options, settings.env)
    if ('pid' in spawned) {
      this.pid = spawned.pid
      this.#connect(spawned)
    } else {
      // Never within the call that starts it.
      void Promise.resolve(spawned).then((failure) => this.#noteExit({ code: null, signal: null, failure }))
    }
  }

  get pendingBytes(): number {
    return this.#stdin === undefined || this.#stdin.destroyed ? 0 : this.#stdin.writableLength
  }

  get residentBytes(): number {
    return this.pid === undefined || this.#exit !== undefined ? 0 : residentBytes(this.pid)
  }

  write(bytes: Uint8Array): boolean {
    const stdin = this.#stdin
    if (stdin === undefined || stdin.writableEnded) return true
    // A program that has closed its stdin, and runs on, takes nothing any more.
    if (stdin.destroyed) return this.#exit !== undefined
    stdin.write(bytes)
    this.#isWaiting = stdin.writableLength > PENDING_BYTES
    return !this.#isWaiting
  }

  endInput(): void {
    this.#stdin?.end()
  }

  hold(): Disposable {
    return this.#output?.hold() ?? { [Symbol.dispose]: () => undefined }
  }

  stop({ signal = 'SIGTERM', graceMs = GRACE_MS }: StopOptions = {}): Promise<void> {
    this.#isStopping = true
    this.#group?.end(signal, graceMs)
    // It may have ended, and wait for a reader that holds its output.
    this.#finish()
    return this.gone
  }

  #connect({ pid, stdin, stdout, stderr, pipes, onExit }: Spawned): void {
    const { clock, reaper } = this.#settings
    reaper.add({ group: pid, startTime: statOf(pid)?.startTime ?? '', graceMs: GRACE_MS })
    this.#group = new EndingGroup(pid, clock, () => {
      reaper.remove(pid)
      this.#finish()
    })
    const nowMs = (): number => clock.nowMs()
    if (stdin !== null) this.#connectInput(stdin)
    if (stdout !== null) {
      const onBytes = (bytes: Uint8Array): void => this.#call(() => this.#callbacks.onOutput?.(bytes))
      this.#output = new FairReader({ stream: stdout, nowMs, onBytes, onEnd: () => this.#noteOutputEnd() })
    }
    if (stderr !== null) {
      const onBytes = (bytes: Uint8Array): void => this.#stderr.push(bytes)
      this.#errors = new FairReader({ stream: stderr, nowMs, onBytes, onEnd: () => this.#noteErrorsEnd() })
    }
    this.#pipes = pipes.map((stream, pipe) => {
      const onBytes = (bytes: Uint8Array): void => this.#call(() => this.#callbacks.onPipe?.(pipe, bytes))
      return new FairReader({ stream, nowMs, onBytes, onEnd: () => this.#notePipeEnd(pipe) })
    })
    onExit((code, signal) => this.#noteExit({ code, signal }))
  }

  #writeLine(line: string, leftOut: number): void {
    let said: ReturnType<NonNullable<ProcessCallbacks['onLine']>> = { level: 'info', text: line }
    this.#call(() => (said = this.#callbacks.onLine?.(line) ?? said))
    const { level, text } = said
    if (level === 'none') return
    this.#settings.writeLine(level, text, { pid: this.pid, ...(leftOut === 0 ? {} : { leftOut }) })
  }

  #connectInput(stdin: Writable): void {
    this.#stdin = stdin
    stdin.on('drain', () => this.#noteDrain())
    // EPIPE, ECONNRESET: it has closed its stdin, or has ended. What is written from here on is discarded.
    stdin.on('error', () => undefined)
    stdin.once('close', () => this.#noteDrain())
  }

  #noteDrain(): void {
    if (!this.#isWaiting) return
    this.#isWaiting = false
    this.#call(() => this.#callbacks.onDrain?.())
  }

  #noteOutputEnd(): void {
    this.#call(() => this.#callbacks.onOutputEnd?.())
    this.#finish()
  }

  #notePipeEnd(pipe: number): void {
    this.#call(() => this.#callbacks.onPipeEnd?.(pipe))
    this.#finish()
  }

  #noteErrorsEnd(): void {
    this.#stderr.finish()
    this.#finish()
  }

  #noteExit(exit: Omit<ProcessExit, 'lastLines' | 'text'>): void {
    this.#exit = exit
    this.#group?.noteExit(OUTPUT_MS)
    this.#finish()
  }

  /** Over when the process, its group and its output have ended. Whoever has left the group may keep its pipes open. */
  #finish(): void {
    if (this.#isOver || this.#exit === undefined || this.#group?.isGone === false) return
    if ([this.#output, this.#errors, ...this.#pipes].some((reader) => reader?.isEnded === false)) {
      if (this.#isStopping && this.#output?.isHeld === true) this.#output.close()
      this.#lateOutput ??= this.#settings.clock.every(LOOK_MS, () => this.#closeOutput())
      return
    }
    this.#isOver = true
    this.#lateOutput?.[Symbol.dispose]()
    this.#stdin?.destroy()
    const exit = this.#exit
    const { onGone, enter } = this.#settings
    const lastLines = this.#stderr.last
    const full: ProcessExit = { ...exit, lastLines, text: textOf(this.#name, exit, lastLines) }
    enter(() => this.#callbacks.onExit(full))
    onGone()
    this.#settleGone()
  }

  /** What is left in the pipe of a reader that holds is still to be passed on; so is what comes all the time. */
  #closeOutput(): void {
    const isLast = ++this.#looks >= (this.#isStopping ? STOPPING_LOOKS : MOST_LOOKS)
    for (const reader of [this.#errors, ...this.#pipes, this.#output]) {
      if (reader?.isHeld === false && (reader.isQuiet() || isLast)) reader.close()
    }
  }

  #call(run: () => void): void {
    if (!this.#isOver) this.#settings.enter(run)
  }
}

function textOf(
  name: string,
  { code, signal, failure }: Omit<ProcessExit, 'lastLines' | 'text'>,
  lastLines: readonly string[],
): string {
  if (failure !== undefined) return failure.message
  const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`
  const said = lastLines.length === 0 ? '' : `: ${lastLines.join(' | ')}`
  return `${name} ${how}${said}`
}
