// The stream that a program writes to stdout. Each subscription starts it once; the error that ends the subscription
// comes when the program and everything that it has started are gone, so there are never two of them.
import type {
  Clock,
  NodeContext,
  Options,
  PacketTimeout,
  Processes,
  ProcessExit,
  Received,
  Source,
} from '@millrace/engine/plugin'
import { WatchedProcess } from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import { ExecCounters } from './exec-counters.js'
import { execError } from './exec-errors.js'
import { isRestarted } from './exec-options.js'
import type { InputOptions } from './input-options.js'

/** A program that has closed its stdout usually ends at the same moment. */
const CLOSED_MS = 1000

export interface ExecSourceParts {
  readonly options$: Options<InputOptions>
  readonly context: NodeContext
  readonly clock: Clock
  readonly processes: Processes
}

export class ExecSource implements Source<Received> {
  readonly chunks: Observable<Received>
  readonly packetTimeout: PacketTimeout
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
    const current = (): Attempt | undefined => this.#attempt
    this.packetTimeout = {
      get ms() {
        return parts.options$.value.readTimeout
      },
      giveUp: (why) => current()?.giveUp(why),
    }
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
  readonly #process: WatchedProcess
  #closing: Disposable | undefined
  /** Why it was ended before it ended by itself. */
  #fault: Error | undefined

  constructor(subscriber: Subscriber<Received>, parts: ExecSourceParts, counters: ExecCounters) {
    this.#parts = parts
    const { options$, context, clock, processes } = parts
    const { command, cwd, env } = options$.value
    this.#process = new WatchedProcess({
      ...{ clock, processes, options: { command, cwd, env, stdin: 'none', stdout: 'pipe' } },
      callbacks: { onOutputEnd: () => this.#noteClosed() },
      silentMs: () => options$.value.readTimeout,
      onOutput: (bytes) => subscriber.next(bytes),
      onSilent: (silentMs) => {
        this.#stopFor(execError('EXEC_SILENT', `${this.#name} has written nothing for ${silentMs / 1000} s`))
      },
      onExit: (exit) => {
        counters.noteExit(exit)
        this.#closing?.[Symbol.dispose]()
        this.#finish(subscriber, exit)
      },
    })
    const { pid } = this.#process
    counters.noteStart(pid)
    if (pid === undefined) return
    context.log.info({ program: command[0], pid }, 'started')
    context.ready()
  }

  hold(): Disposable {
    return this.#process.hold()
  }

  giveUp(why: string): void {
    this.#stopFor(execError('EXEC_NO_PACKETS', `${this.#name}: ${why}`))
  }

  stop(): Promise<void> {
    this.#closing?.[Symbol.dispose]()
    const { stopSignal, grace } = this.#parts.options$.value
    return this.#process.stop({ signal: stopSignal, graceMs: grace })
  }

  #noteClosed(): void {
    this.#closing = this.#parts.clock.after(CLOSED_MS, () =>
      this.#stopFor(execError('EXEC_OUTPUT_CLOSED', `${this.#name} has closed its stdout`)),
    )
  }

  #stopFor(fault: Error): void {
    if (this.#fault !== undefined) return
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
