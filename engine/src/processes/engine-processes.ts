// The processes of all nodes of an engine: how many there may be, what of them is logged and masked, and their end.
import type { HiddenValue, HiddenValues } from '../graph/hidden-values.js'
import type { Logger } from '../plugin/contract.js'
import type {
  Conversion,
  ConvertOptions,
  Process,
  ProcessCallbacks,
  Processes,
  ProcessOptions,
} from '../plugin/processes.js'
import type { ProgramNeed } from '../plugin/program-need.js'
import type { Clock } from '../plugin/tokens.js'
import type { EngineError } from '../errors.js'
import { secretsIn } from './argument-secrets.js'
import { childEnvironment, type Environment } from './child-environment.js'
import { ConversionTurns } from './conversion-turns.js'
import { convert } from './convert.js'
import { findProgram, type ProgramPaths } from './find-program.js'
import { processError } from './process-errors.js'
import { Reaper } from './reaper.js'
import { RunningProcess } from './running-process.js'
import { nameOf } from './spawn-program.js'

/** A node needs one, and two while it replaces one; a transcoder some more. */
const MOST_OF_NODE = 16
/** Values of one node that are masked. */
const MOST_HIDDEN = 64
/** From SIGKILL to the exit; longer only in a system call that cannot be interrupted. */
const KILLED_MS = 2000

export interface EngineProcessesSettings {
  readonly clock: Clock
  readonly log: Logger
  readonly hidden: Pick<HiddenValues, 'hide'>
  /** Of the engine. */
  readonly env: Environment
  /** Of the engine; a reload may change it. */
  most(): number
  /** Paths by name, of the configuration. By default none. */
  programs?(): ProgramPaths
  /** By default one of its own. */
  readonly reaper?: ProcessKeeper
}

/** What ends the processes when the engine dies. */
export type ProcessKeeper = Pick<Reaper, 'start' | 'add' | 'remove' | 'mark' | typeof Symbol.asyncDispose>

/** The node that starts them. */
export interface ProcessOwner {
  readonly id: string
  readonly calls: { enter(run: () => void): void }
}

export class EngineProcesses {
  readonly #settings: EngineProcessesSettings
  readonly #reaper: ProcessKeeper
  readonly #running = new Set<RunningProcess>()
  readonly #turns = new ConversionTurns()
  #isClosed = false

  constructor(settings: EngineProcessesSettings) {
    this.#settings = settings
    this.#reaper = settings.reaper ?? new Reaper(settings)
  }

  get count(): number {
    return this.#running.size
  }

  /** Of a node that is about to open. */
  of(owner: ProcessOwner): NodeProcesses {
    return new NodeProcesses(owner, {
      log: this.#settings.log,
      clock: this.#settings.clock,
      turns: this.#turns,
      hidden: this.#settings.hidden,
      start: (...given) => this.#start(...given),
      find: (need) => findProgram(need, this.#settings.env['PATH'] ?? '', this.#settings.programs?.())?.file,
    })
  }

  /**
   * Ends those that are left: they have this long, then they are killed. Does not wait for what hangs in the kernel. None
   * is started any more: the reaper ends too.
   */
  async close(withinMs: number): Promise<void> {
    this.#isClosed = true
    if (this.#running.size > 0) await this.#endAll(withinMs)
    await this.#reaper[Symbol.asyncDispose]()
  }

  async #endAll(withinMs: number): Promise<void> {
    const ended = Promise.all([...this.#running].map((running) => running.stop({ graceMs: withinMs })))
    let timer: Disposable | undefined
    const late = new Promise<void>((resolve) => {
      timer = this.#settings.clock.after(withinMs + KILLED_MS, resolve)
    })
    await Promise.race([ended, late])
    timer?.[Symbol.dispose]()
  }

  #start(
    owner: ProcessOwner,
    options: ProcessOptions,
    { callbacks, refusal }: { readonly callbacks: ProcessCallbacks; readonly refusal: EngineError | undefined },
  ): RunningProcess {
    const { clock, log, env, most } = this.#settings
    const program = nameOf(options.command)
    const refused = refusal ?? this.#refusal(program, most())
    if (refused === undefined) this.#reaper.start()
    const running: RunningProcess = new RunningProcess(options, callbacks, {
      clock,
      reaper: this.#reaper,
      env: { ...childEnvironment(env, options.env ?? {}), ...this.#reaper.mark },
      ...(refused === undefined ? {} : { refusal: refused }),
      enter: (run) => owner.calls.enter(run),
      writeLine: (level, line, more) => log[level]({ node: owner.id, program, ...more }, line),
      onGone: () => this.#running.delete(running),
    })
    if (running.pid !== undefined) this.#running.add(running)
    return running
  }

  #refusal(program: string, most: number): EngineError | undefined {
    const refuse = (why: string): EngineError =>
      processError('PROCESS_LIMIT', `${program} cannot be started: the engine ${why}`)
    if (this.#isClosed) return refuse('has stopped')
    return this.count < most ? undefined : refuse(`runs ${most} processes already`)
  }
}

interface NodeProcessesSettings {
  readonly clock: Pick<Clock, 'after'>
  readonly turns: ConversionTurns
  readonly log: Logger
  readonly hidden: Pick<HiddenValues, 'hide'>
  start(
    owner: ProcessOwner,
    options: ProcessOptions,
    more: { readonly callbacks: ProcessCallbacks; readonly refusal: EngineError | undefined },
  ): RunningProcess
  find(need: ProgramNeed): string | undefined
}

/** PROCESSES of one opened node. */
export class NodeProcesses implements Processes {
  readonly #owner: ProcessOwner
  readonly #settings: NodeProcessesSettings
  readonly #running = new Set<RunningProcess>()
  /** By value. */
  readonly #hidden = new Map<string, HiddenValue>()
  #isClosed = false
  #isConverting = false

  constructor(owner: ProcessOwner, settings: NodeProcessesSettings) {
    this.#owner = owner
    this.#settings = settings
  }

  start(options: ProcessOptions, callbacks: ProcessCallbacks): Process {
    checkCommand(options.command)
    for (const value of secretsIn(options.command, options.env ?? {})) this.#hide(value)
    const running = this.#settings.start(this.#owner, options, { callbacks, refusal: this.#refusal(options) })
    this.#running.add(running)
    void running.gone.then(() => this.#running.delete(running))
    return running
  }

  async convert(options: ConvertOptions): Promise<Conversion> {
    if (this.#isConverting) return { failure: 'another conversion of the node is running' }
    this.#isConverting = true
    try {
      using turn = await this.#settings.turns.take(options.signal)
      if (turn === undefined) return { failure: 'the node has ended' }
      return await convert(this, this.#settings.clock, options)
    } finally {
      this.#isConverting = false
    }
  }

  find(need: ProgramNeed): string | undefined {
    return this.#settings.find(need)
  }

  /** The node has ended: what it has left behind ends too. */
  close(): void {
    this.#isClosed = true
    for (const running of this.#running) void running.stop()
    for (const hidden of this.#hidden.values()) hidden.leave()
    this.#hidden.clear()
  }

  #refusal({ command }: ProcessOptions): EngineError | undefined {
    const refuse = (why: string): EngineError =>
      processError('PROCESS_LIMIT', `${nameOf(command)} cannot be started: ${why}`)
    if (this.#isClosed) return refuse('the node has ended')
    return this.#running.size < MOST_OF_NODE ? undefined : refuse(`the node runs ${MOST_OF_NODE} processes already`)
  }

  #hide(value: string): void {
    if (this.#isClosed || this.#hidden.has(value) || this.#hidden.size >= MOST_HIDDEN) return
    this.#hidden.set(value, this.#settings.hidden.hide(value))
  }
}

function checkCommand(command: readonly unknown[]): void {
  if (command.length === 0 || command[0] === '') throw new TypeError('a command needs a program')
  for (const part of command) {
    if (typeof part !== 'string' || part.includes('\0')) throw new TypeError('a command is text without NUL characters')
  }
}
