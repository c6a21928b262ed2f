// Opens the nodes with real processes, and with a clock that the test advances.
import { isEngineError } from '@millrace/engine/plugin'
import type { AnyChunk, EngineError, Inlet, Options, Output, Received, Source } from '@millrace/engine/plugin'
import { FakeClock, FakeContext, TestProcesses } from '@millrace/engine/testing'
import { BehaviorSubject, Subject } from 'rxjs'
import type { Subscription } from 'rxjs'
import type { z } from 'zod'
import { execInput } from './exec-input.js'
import { execOutput } from './exec-output.js'
import { inputOptions } from './input-options.js'
import { outputOptions } from './output-options.js'

const DEADLINE_MS = 60_000

export class InputBench implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly context = new FakeContext()
  readonly processes = new TestProcesses()
  readonly options$: BehaviorSubject<z.output<typeof inputOptions>>
  readonly source: Source<Received>
  receivedBytes = 0
  /** How the subscription has ended. */
  end: EngineError | 'complete' | undefined
  #subscription: Subscription | undefined

  constructor(given: z.input<typeof inputOptions>) {
    this.options$ = new BehaviorSubject(inputOptions.parse({ cwd: '/', ...given }))
    const options$ = this.options$ as Options<z.output<typeof inputOptions>>
    const deps = { clock: this.clock, processes: this.processes }
    this.source = execInput.open(options$, this.context, deps) as Source<Received>
  }

  static shell(script: string, more: Partial<z.input<typeof inputOptions>> = {}): InputBench {
    return new InputBench({ command: ['sh', '-c', script], ...more })
  }

  subscribe(): void {
    this.end = undefined
    this.#subscription = this.source.chunks.subscribe({
      next: (received) => {
        if (received instanceof Uint8Array) this.receivedBytes += received.length
      },
      error: (error: unknown) => (this.end = isEngineError(error) ? error : undefined),
      complete: () => (this.end = 'complete'),
    })
  }

  async ended(): Promise<EngineError | 'complete'> {
    this.subscribe()
    await until(() => this.end !== undefined, 'it ends')
    return this.end ?? 'complete'
  }

  unsubscribe(): void {
    this.#subscription?.unsubscribe()
  }

  get details(): Readonly<Record<string, unknown>> {
    return this.context.readDetails?.() as Readonly<Record<string, unknown>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.unsubscribe()
    await this.source[Symbol.asyncDispose]()
    await this.processes[Symbol.asyncDispose]()
  }
}

export class OutputBench implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly context = new FakeContext()
  readonly processes = new TestProcesses()
  readonly chunks = new Subject<AnyChunk>()
  /** Holds that are in force. */
  holds = 0
  output: Output | undefined
  #subscription: Subscription | undefined

  static async open(given: z.input<typeof outputOptions>): Promise<OutputBench> {
    const bench = new OutputBench()
    const options$ = new BehaviorSubject(outputOptions.parse({ cwd: '/', ...given }))
    const deps = { clock: bench.clock, processes: bench.processes }
    bench.output = await execOutput.open(options$ as Options<z.output<typeof outputOptions>>, bench.context, deps)
    const inlet: Inlet = {
      id: 'main.out',
      chunks: bench.chunks,
      pausable: false,
      hold: () => {
        bench.holds++
        return { [Symbol.dispose]: () => bench.holds-- }
      },
    }
    bench.#subscription = bench.output.accept([inlet])
    return bench
  }

  static shell(script: string, more: Partial<z.input<typeof outputOptions>> = {}): Promise<OutputBench> {
    return OutputBench.open({ command: ['sh', '-c', script], ...more })
  }

  /** Code of the error with which the node has failed. */
  get failure(): string | undefined {
    const [first] = this.processes.failures
    return isEngineError(first) ? first.code : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.unsubscribe()
    await this.output?.[Symbol.asyncDispose]()
    await this.processes[Symbol.asyncDispose]()
  }
}

export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited too long until ${what}`)
    await new Promise<void>((resolve) => void setTimeout(resolve, 5))
  }
}
