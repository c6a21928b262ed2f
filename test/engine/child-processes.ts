// The children of this process, as the system lists them (proc(5)).
import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'

export interface ChildProcess {
  readonly pid: number
  /** Of the program. */
  readonly name: string
  /** It has ended, and nobody has asked how. */
  readonly isZombie: boolean
}

/** Those that it has started itself, not what these have started. */
export function childProcesses(): readonly ChildProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => readChild(pid) ?? [])
}

function readChild(pid: string): ChildProcess | undefined {
  try {
    // The name can hold anything.
    const [, name = '', state, parent] =
      /^\d+ \(([^]*)\) (\S) (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? []
    return Number(parent) === process.pid ? { pid: Number(pid), name, isZombie: state === 'Z' } : undefined
  } catch {
    // It has ended.
    return undefined
  }
}
