// PROCESSES in tests: real processes, which end when it is disposed. Nothing ends them if the test itself is killed.
import { pino } from 'pino'
import { HiddenValues } from '../graph/hidden-values.js'
import { createClock } from '../observe/clock.js'
import type { Process, ProcessCallbacks, Processes, ProcessOptions } from '../plugin/processes.js'
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

  constructor(id = 'test/node') {
    const log = pino({ base: null }, { write: (line: string) => void this.lines.push(messageOf(line)) })
    const hidden = new HiddenValues()
    const most = (): number => MOST
    this.#all = new EngineProcesses({ clock: this.#clock, log, hidden, env: process.env, most, reaper: NO_KEEPER })
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#all.close(0)
    this.#clock[Symbol.dispose]()
  }
}

function messageOf(line: string): string {
  return String((JSON.parse(line) as { readonly msg?: unknown }).msg)
}
