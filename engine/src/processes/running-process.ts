// One process of a node, and its group: its pipes, its lines on stderr, its end.
import type { Writable } from 'node:stream'
import type { EngineError } from '../errors.js'
import type { Process, ProcessCallbacks, ProcessExit, ProcessOptions, StopOptions } from '../plugin/processes.js'
import type { Clock } from '../plugin/tokens.js'
import { EndingGroup } from './ending-group.js'
import { FairReader } from './fair-reader.js'
import { statOf } from './process-group.js'
import type { Reaper } from './reaper.js'
import { nameOf, type Spawned, spawnProgram } from './spawn-program.js'
import { StderrLog } from './stderr-log.js'

/** `write` returns false while this much is waiting. */
const PENDING_BYTES = 256 * 1024
/** After the exit: for its output to arrive, and for the rest of its group to end by itself. */
const OUTPUT_MS = 1000
const GRACE_MS = 5000

export interface RunningProcessSettings {
  readonly clock: Clock
  readonly reaper: Pick<Reaper, 'add' | 'remove'>
  readonly env: Readonly<Record<string, string>>
  /** Set if it must not be started: `onExit` tells. */
  readonly refusal?: EngineError
  /** Enters the scope of the node. */
  enter(run: () => void): void
  writeLine(line: string, more: { readonly pid: number | undefined; readonly leftOut?: number }): void
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
  #group: EndingGroup | undefined
  #isWaiting = false
  #exit: Omit<ProcessExit, 'lastLines' | 'text'> | undefined
  #isOver = false
  #isStopping = false
  #lateOutput: Disposable | undefined
  #settleGone: () => void = () => undefined

  constructor(options: ProcessOptions, callbacks: ProcessCallbacks, settings: RunningProcessSettings) {
    this.#settings = settings
    this.#callbacks = callbacks
    const { clock, writeLine } = settings
    this.#name = nameOf(options.command)
    this.#stderr = new StderrLog({
      clock,
      write: (line, leftOut) => writeLine(line, { pid: this.pid, ...(leftOut === 0 ? {} : { leftOut }) }),
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
    return this.#stdin?.writableLength ?? 0
  }

  write(bytes: Uint8Array): boolean {
    const stdin = this.#stdin
    if (stdin === undefined || stdin.destroyed || stdin.writableEnded) return true
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
    return this.gone
  }

  #connect({ pid, stdin, stdout, stderr, onExit }: Spawned): void {
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
    onExit((code, signal) => this.#noteExit({ code, signal }))
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
    if (this.#output?.isEnded === false || this.#errors?.isEnded === false) {
      if (this.#isStopping && this.#output?.isHeld === true) this.#output.close()
      this.#lateOutput ??= this.#settings.clock.every(OUTPUT_MS, () => this.#closeOutput())
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

  /** What is left in the pipe of a reader that holds is still to be passed on. */
  #closeOutput(): void {
    this.#errors?.close()
    if (this.#output?.isHeld !== true) this.#output?.close()
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
