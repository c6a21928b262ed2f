// Processes of one node for tests, with what it has received and logged.
import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import { HiddenValues } from '../graph/hidden-values.js'
import { createClock, type EngineClock } from '../observe/clock.js'
import type { Process, ProcessCallbacks, ProcessExit, ProcessOptions } from '../plugin/processes.js'
import { EngineProcesses } from './engine-processes.js'
import type { NodeProcesses } from './engine-processes.js'
import { parseStat } from './process-group.js'

export interface Started {
  readonly process: Process
  readonly exited: Promise<ProcessExit>
  /** Names of the callbacks that were called, in order, without repetitions in a row. */
  readonly calls: string[]
  readonly output: () => string
}

export class TestProcesses implements AsyncDisposable {
  readonly clock: EngineClock
  readonly hidden = new HiddenValues()
  readonly lines: Readonly<Record<string, unknown>>[] = []
  /** What callbacks have thrown. */
  readonly failures: unknown[] = []
  readonly all: EngineProcesses
  readonly node: NodeProcesses

  constructor({
    most = 100,
    env = process.env,
    clock = createClock(),
  }: { most?: number; env?: Readonly<Record<string, string | undefined>>; clock?: EngineClock } = {}) {
    this.clock = clock
    const log = pino({ base: null }, { write: (line: string) => void this.lines.push(JSON.parse(line) as never) })
    this.all = new EngineProcesses({ clock: this.clock, log, hidden: this.hidden, env, most: () => most })
    const enter = (run: () => void): void => {
      try {
        run()
      } catch (error) {
        this.failures.push(error)
      }
    }
    this.node = this.all.of({ id: 'one/main', calls: { enter } })
  }

  start(command: readonly string[], more: Partial<ProcessOptions> & Partial<ProcessCallbacks> = {}): Started {
    const calls: string[] = []
    const parts: Buffer[] = []
    const note = (name: string): void => {
      if (calls.at(-1) !== name) calls.push(name)
    }
    let settle: (exit: ProcessExit) => void = () => undefined
    const exited = new Promise<ProcessExit>((resolve) => (settle = resolve))
    const process = this.node.start(
      { stdin: 'none', stdout: 'pipe', ...more, command },
      {
        onOutput(bytes) {
          note('output')
          if (more.onOutput === undefined) parts.push(Buffer.from(bytes))
          else more.onOutput(bytes)
        },
        onOutputEnd() {
          note('output end')
          more.onOutputEnd?.()
        },
        onPipe: (pipe, bytes) => more.onPipe?.(pipe, bytes),
        onPipeEnd: (pipe) => more.onPipeEnd?.(pipe),
        ...(more.onLine === undefined ? {} : { onLine: more.onLine }),
        onDrain() {
          note('drain')
          more.onDrain?.()
        },
        onExit(exit) {
          note('exit')
          more.onExit?.(exit)
          settle(exit)
        },
      },
    )
    return { process, exited, calls, output: () => Buffer.concat(parts).toString() }
  }

  shell(script: string, more: Partial<ProcessOptions> & Partial<ProcessCallbacks> = {}): Started {
    return this.start(['sh', '-c', script], more)
  }

  /** The messages of the log. */
  get messages(): readonly unknown[] {
    return this.lines.map(({ msg }) => msg)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.all.close(0)
    this.clock[Symbol.dispose]()
  }
}

/** It exists, and is not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    const state = parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.state
    return state !== undefined && state !== 'Z' && state !== 'X'
  } catch {
    return false
  }
}

/** Polls until it holds. */
export async function until(holds: () => boolean, what: string, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited too long until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
