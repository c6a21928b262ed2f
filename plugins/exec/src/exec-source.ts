// The stream that a program writes to stdout. Each subscription starts it once; the error that ends the subscription
// comes when the program and everything that it has started are gone, so there are never two of them.
import type {
  Clock,
  NodeContext,
  Options,
  Process,
  Processes,
  ProcessExit,
  Received,
  Source,
} from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { ExecCounters } from './exec-counters.js'
import { execError } from './exec-errors.js'
import { isRestarted } from './exec-options.js'
import type { InputOptions } from './input-options.js'

/** A program that has closed its stdout usually ends at the same moment. */
const CLOSED_MS = 1000

/** How often it looks whether the program is silent. */
const LOOK_MS = 1000

export interface ExecSourceParts {
  readonly options$: Options<InputOptions>
  readonly context: NodeContext
  readonly clock: Clock
  readonly processes: Processes
}

export class ExecSource implements Source<Received> {
  readonly chunks: Observable<Received>
  /** Only if the program can wait. */
  readonly hold?: () => Disposable
  readonly #parts: ExecSourceParts
  readonly #counters: ExecCounters
  readonly #holds = new Set<{ inner: Disposable | undefined }>()
  readonly #stopping = new Set<Promise<void>>()
  #attempt: Attempt | undefined

  constructor(parts: ExecSourceParts) {
    this.#parts = parts
    this.#counters = new ExecCounters(parts.clock, parts.options$.value.command[0] ?? '')
    this.#counters.register(parts.context)
    if (parts.options$.value.pausable) this.hold = () => this.#hold()
    this.chunks = new Observable((subscriber) => this.#start(subscriber))
  }

  /** The pipe fills, and the program waits. */
  #hold(): Disposable {
    const held = { inner: this.#attempt?.hold() }
    this.#holds.add(held)
    return {
      [Symbol.dispose]: () => {
        if (this.#holds.delete(held)) held.inner?.[Symbol.dispose]()
      },
    }
  }

  /** The program and everything that it has started have ended when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(this.#attempt)
    await Promise.all(this.#stopping)
  }

  #start(subscriber: Subscriber<Received>): () => void {
    const attempt = new Attempt(subscriber, this.#parts, this.#counters)
    this.#attempt = attempt
    for (const held of this.#holds) held.inner = attempt.hold()
    return () => this.#end(attempt)
  }

  #end(attempt: Attempt | undefined): void {
    if (attempt === undefined) return
    if (this.#attempt === attempt) this.#attempt = undefined
    const stopping = attempt.stop()
    this.#stopping.add(stopping)
    void stopping.then(() => this.#stopping.delete(stopping))
  }
}

/** One run of the program. */
class Attempt {
  readonly #parts: ExecSourceParts
  readonly #process: Process
  #holds = 0
  #lastMs: number
  #timer: Disposable | undefined
  /** Why it was ended before it ended by itself. */
  #fault: Error | undefined

  constructor(subscriber: Subscriber<Received>, parts: ExecSourceParts, counters: ExecCounters) {
    this.#parts = parts
    const { options$, context, clock, processes } = parts
    const { command, cwd, env } = options$.value
    this.#lastMs = clock.nowMs()
    this.#process = processes.start(
      { command, cwd, env, stdin: 'none', stdout: 'pipe' },
      {
        onOutput: (bytes) => {
          this.#lastMs = clock.nowMs()
          subscriber.next(bytes)
        },
        onOutputEnd: () => this.#noteClosed(),
        onExit: (exit) => {
          counters.noteExit(exit)
          this.#timer?.[Symbol.dispose]()
          this.#timer = undefined
          this.#finish(subscriber, exit)
        },
      },
    )
    const { pid } = this.#process
    counters.noteStart(pid)
    if (pid === undefined) return
    context.log.info({ program: command[0], pid }, 'started')
    context.ready()
    this.#watch()
  }

  hold(): Disposable {
    this.#holds++
    const inner = this.#process.hold()
    return {
      [Symbol.dispose]: () => {
        this.#holds--
        // While it was held, it could not write.
        this.#lastMs = this.#parts.clock.nowMs()
        inner[Symbol.dispose]()
      },
    }
  }

  stop(): Promise<void> {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
    const { stopSignal, grace } = this.#parts.options$.value
    return this.#process.stop({ signal: stopSignal, graceMs: grace })
  }

  /** Ends it when it writes nothing for too long. Looks again when it could have been silent for long enough. */
  #watch(): void {
    const { options$, clock } = this.#parts
    const { readTimeout } = options$.value
    const silentMs = this.#holds > 0 ? 0 : clock.nowMs() - this.#lastMs
    if (readTimeout > 0 && silentMs >= readTimeout) {
      return this.#stopFor(execError('EXEC_SILENT', `${this.#name} has written nothing for ${readTimeout / 1000} s`))
    }
    // `readTimeout` may change meanwhile.
    const nextMs = readTimeout === 0 ? LOOK_MS : Math.min(LOOK_MS, Math.max(1, readTimeout - silentMs))
    this.#timer = clock.after(nextMs, () => this.#watch())
  }

  #noteClosed(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#parts.clock.after(CLOSED_MS, () =>
      this.#stopFor(execError('EXEC_OUTPUT_CLOSED', `${this.#name} has closed its stdout`)),
    )
  }

  #stopFor(fault: Error): void {
    this.#fault = fault
    this.#parts.context.log.warn(fault.message)
    void this.stop()
  }

  #finish(subscriber: Subscriber<Received>, exit: ProcessExit): void {
    if (subscriber.closed) return
    const error = this.#fault ?? exit.failure
    if (error !== undefined) return subscriber.error(error)
    if (isRestarted(this.#parts.options$.value.restart, exit)) {
      return subscriber.error(execError('EXEC_EXITED', exit.text))
    }
    if (exit.code === 0) this.#parts.context.log.info(exit.text)
    else this.#parts.context.log.error(exit.text)
    subscriber.complete()
  }

  get #name(): string {
    return this.#parts.options$.value.command[0] ?? ''
  }
}
