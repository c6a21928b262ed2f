// PROCESSES in tests: real processes, which end when it is disposed. Nothing ends them if the test itself is killed.
import { pino } from 'pino'
import { HiddenValues } from '../graph/hidden-values.js'
import { createClock } from '../observe/clock.js'
import type {
  Conversion,
  ConvertOptions,
  Process,
  ProcessCallbacks,
  Processes,
  ProcessOptions,
} from '../plugin/processes.js'
import type { ProgramNeed } from '../plugin/program-need.js'
import { EngineProcesses } from '../processes/engine-processes.js'
import type { NodeProcesses, ProcessKeeper } from '../processes/engine-processes.js'

const NO_KEEPER: ProcessKeeper = {
  mark: {},
  start: () => undefined,
  add: () => undefined,
  remove: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
}
const MOST = 100

export class TestProcesses implements Processes, AsyncDisposable {
  /** What the processes have written to stderr, line by line. */
  readonly lines: string[] = []
  /** What callbacks have thrown: in an engine, failures of the node. */
  readonly failures: unknown[] = []
  readonly #clock = createClock()
  readonly #all: EngineProcesses
  readonly #node: NodeProcesses

  /** `programs`: paths by name, as a configuration has them. */
  constructor(id = 'test/node', programs: Readonly<Record<string, string>> = {}) {
    const log = pino({ base: null }, { write: (line: string) => void this.lines.push(messageOf(line)) })
    const hidden = new HiddenValues()
    const most = (): number => MOST
    const { env } = process
    const common = { clock: this.#clock, log, hidden, env, most, programs: () => programs }
    this.#all = new EngineProcesses({ ...common, reaper: NO_KEEPER })
    const enter = (run: () => void): void => {
      try {
        run()
      } catch (error) {
        this.failures.push(error)
      }
    }
    this.#node = this.#all.of({ id, calls: { enter } })
  }

  /** Those that are running. */
  get count(): number {
    return this.#all.count
  }

  start(options: ProcessOptions, callbacks: ProcessCallbacks): Process {
    return this.#node.start(options, callbacks)
  }

  convert(options: ConvertOptions): Promise<Conversion> {
    return this.#node.convert(options)
  }

  find(need: ProgramNeed): string | undefined {
    return this.#node.find(need)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#all.close(0)
    this.#clock[Symbol.dispose]()
  }
}

function messageOf(line: string): string {
  return String((JSON.parse(line) as { readonly msg?: unknown }).msg)
}
