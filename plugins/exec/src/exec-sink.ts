// A program that reads a stream from stdin. The edge queues and drops while it does not read; when it ends, the node fails,
// and the engine opens it again.
import type {
  Clock,
  Inlet,
  NodeContext,
  Options,
  Output,
  Process,
  Processes,
  ProcessExit,
} from '@millrace/engine/plugin'
import { Subscription } from 'rxjs'
import { execError } from './exec-errors.js'
import { isRestarted } from './exec-options.js'
import type { OutputOptions } from './output-options.js'
import { StreamWriter } from './stream-writer.js'

/** After the end of stdin, until it is asked to end. */
const END_MS = 500

export interface ExecSinkParts {
  readonly options$: Options<OutputOptions>
  readonly context: NodeContext
  readonly clock: Clock
  readonly processes: Processes
}

export class ExecSink implements Output {
  readonly #parts: ExecSinkParts
  readonly #process: Process
  readonly #writer = new StreamWriter()
  readonly #startedMs: number
  readonly #exited: Promise<ProcessExit>
  #settleExit: (exit: ProcessExit) => void = () => undefined
  #hold: Disposable | undefined
  #stalled: Disposable | undefined
  /** Why it was ended before it ended by itself. */
  #fault: Error | undefined
  #isEnding = false
  #isOpen = false
  /** It has been told that nothing reaches the program. */
  #isTold = false
  #exit: ProcessExit | undefined

  private constructor(parts: ExecSinkParts) {
    this.#parts = parts
    const { options$, clock, processes } = parts
    const { command, cwd, env } = options$.value
    this.#exited = new Promise((resolve) => (this.#settleExit = resolve))
    this.#process = processes.start(
      { command, cwd, env, stdin: 'pipe', stdout: 'none' },
      { onDrain: () => this.#release(), onExit: (exit) => this.#noteExit(exit) },
    )
    this.#startedMs = clock.nowMs()
  }

  /** Rejects if the program cannot be started. */
  static async open(parts: ExecSinkParts): Promise<ExecSink> {
    const sink = new ExecSink(parts)
    if (sink.#process.pid === undefined) {
      const { failure, text } = await sink.#exited
      throw failure ?? execError('EXEC_EXITED', text)
    }
    sink.#isOpen = true
    const { context, options$ } = parts
    const [program] = options$.value.command
    context.log.info({ program, pid: sink.#process.pid }, 'started')
    context.readMetric('exec_pending_bytes', () => sink.#process.pendingBytes)
    context.readMetric('exec_skipped_bytes_total', () => sink.#writer.skippedBytes)
    context.details(() => ({
      program: program ?? '',
      pid: sink.#process.pid ?? null,
      uptimeSeconds: Math.round((parts.clock.nowMs() - sink.#startedMs) / 1000),
      pendingBytes: sink.#process.pendingBytes,
      isHeld: sink.#hold !== undefined,
    }))
    return sink
  }

  accept([inlet]: readonly Inlet[]): Subscription {
    if (inlet === undefined) return Subscription.EMPTY
    return inlet.chunks.subscribe({
      next: (chunk) => {
        let takesMore = true
        for (const bytes of this.#writer.push(chunk)) {
          takesMore = this.#process.write(bytes)
          this.#parts.context.sent(bytes.length)
        }
        if (!takesMore && this.#hold === undefined && !this.#isDeaf()) this.#wait(inlet)
      },
      complete: () => this.#process.endInput(),
    })
  }

  /** The program has taken everything, and has finished its own work: it has ended. */
  async drained(): Promise<void> {
    this.#isEnding = true
    this.#process.endInput()
    const { text, code } = await this.#exited
    if (code !== 0) this.#parts.context.log.warn(text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    this.#process.endInput()
    if (this.#process.pid !== undefined && this.#exit === undefined) await this.#untilEnded(END_MS)
    await this.#stop()
    this.#release()
  }

  /**
   * It has closed its stdin, and is left alone for as long as it runs: a hold would never end, and would stop a source that
   * can wait for all of its readers.
   */
  #isDeaf(): boolean {
    const { command, stallTimeout } = this.#parts.options$.value
    const isDeaf = stallTimeout === 0 && this.#process.pendingBytes === 0
    if (!isDeaf || this.#isTold) return isDeaf
    this.#isTold = true
    this.#parts.context.degraded(`${command[0] ?? ''} has closed its stdin: nothing reaches it`)
    return true
  }

  /** The edge queues, and drops at its bound. */
  #wait(inlet: Inlet): void {
    this.#hold = inlet.hold()
    const { stallTimeout } = this.#parts.options$.value
    if (stallTimeout === 0) return
    this.#stalled = this.#parts.clock.after(stallTimeout, () => {
      const [program = ''] = this.#parts.options$.value.command
      this.#fault = execError('EXEC_STALLED', `${program} has read nothing for ${stallTimeout / 1000} s`)
      void this.#stop()
    })
  }

  #release(): void {
    this.#stalled?.[Symbol.dispose]()
    this.#stalled = undefined
    const hold = this.#hold
    this.#hold = undefined
    hold?.[Symbol.dispose]()
  }

  #stop(): Promise<void> {
    const { stopSignal, grace } = this.#parts.options$.value
    return this.#process.stop({ signal: stopSignal, graceMs: grace })
  }

  /** What it throws is the failure of the node. */
  #noteExit(exit: ProcessExit): void {
    this.#exit = exit
    this.#stalled?.[Symbol.dispose]()
    this.#stalled = undefined
    this.#settleExit(exit)
    if (this.#isEnding || !this.#isOpen) return
    if (this.#fault !== undefined) throw this.#fault
    const { restart } = this.#parts.options$.value
    throw execError(isRestarted(restart, exit) ? 'EXEC_EXITED' : 'EXEC_ENDED', exit.text)
  }

  async #untilEnded(withinMs: number): Promise<void> {
    let timer: Disposable | undefined
    const late = new Promise<void>((resolve) => (timer = this.#parts.clock.after(withinMs, resolve)))
    await Promise.race([this.#exited, late])
    timer?.[Symbol.dispose]()
  }
}
