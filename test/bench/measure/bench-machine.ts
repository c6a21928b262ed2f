// What the machine offers for a bench: a C compiler for reference and load, and cores to separate server and load.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { REPOSITORY_ROOT } from '../../e2e/kit/repository-root.js'

export const SERVER_CORE = 0
export const LOAD_CORE = 1

export interface Tools {
  /** Paths of programs; undefined without a C compiler. */
  readonly sender: string | undefined
  readonly loadClient: string | undefined
  /** Server and load each have a core. */
  readonly isPinned: boolean
  /** The command, pinned to this core if cores can be assigned. */
  pinned(core: number, command: readonly string[]): readonly string[]
  /** Pins a process with all its threads to a core, if cores can be assigned. */
  pin(core: number, pid: number): void
}

/** Compiles the C programs into `folder`. */
export function findTools(folder: string): Tools {
  const isPinned = availableParallelism() >= 2 && succeeds('taskset', ['-pc', String(process.pid)])
  return {
    sender: compile('reference/sender.c', join(folder, 'sender')),
    loadClient: compile('load/load-client.c', join(folder, 'load-client')),
    isPinned,
    pinned: (core, command) => (isPinned ? ['taskset', '-c', String(core), ...command] : command),
    pin: (core, pid) => void (isPinned && succeeds('taskset', ['-apc', String(core), String(pid)])),
  }
}

function compile(source: string, program: string): string | undefined {
  const path = join(REPOSITORY_ROOT, 'test/bench', source)
  return succeeds('cc', ['-O2', '-Wall', '-o', program, path]) ? program : undefined
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}
