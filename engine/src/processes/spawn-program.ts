// Starts a program with execa, which is told to do nothing else: by default it keeps everything that the process writes,
// hooks the signals of the engine, passes on its environment, and puts all arguments into its errors.
import { existsSync } from 'node:fs'
import { setPriority } from 'node:os'
import { Readable } from 'node:stream'
import type { Writable } from 'node:stream'
import { execa } from 'execa'
import { type EngineError, messageOf } from '../errors.js'
import type { ProcessOptions } from '../plugin/processes.js'
import { hasFreeDescriptors } from './free-descriptors.js'
import { processError } from './process-errors.js'

const MOST_PIPES = 32
const STDIN = { pipe: 'pipe', none: 'ignore', inherit: 'inherit' } as const

export interface Spawned {
  /** Of the process, and of its group and session. */
  readonly pid: number
  readonly stdin: Writable | null
  readonly stdout: Readable | null
  readonly stderr: Readable | null
  /** Descriptors 3 and so on. */
  readonly pipes: readonly Readable[]
  /** Calls back once, when the process itself has ended, whoever holds its pipes. */
  onExit(listen: (code: number | null, signal: string | null) => void): void
}

/** Why it was not started follows in a later turn of the event loop. */
export function spawnProgram(
  options: ProcessOptions,
  env: Readonly<Record<string, string>>,
): Spawned | Promise<EngineError> {
  const {
    command: [program = '', ...args],
    cwd,
  } = options
  const stdio = descriptorsOf(options)
  if (!hasFreeDescriptors(stdio.length)) return Promise.resolve(notStarted(program, 'no file descriptor is left'))
  try {
    const subprocess = execa(program, args, {
      // A group and a session of its own.
      detached: true,
      cleanup: false,
      ...(cwd === undefined ? {} : { cwd }),
      env,
      extendEnv: false,
      shell: false,
      preferLocal: false,
      stdio,
      buffer: false,
      encoding: 'buffer',
      reject: false,
      // Else NODE_DEBUG=execa prints the arguments.
      verbose: 'none',
    })
    const { pid, stdin, stdout, stderr } = subprocess
    if (pid === undefined) return subprocess.then((result) => whyNotStarted(result, options))
    if (options.niceness !== undefined) yieldTo(pid, options.niceness)
    return {
      pid,
      stdin,
      stdout,
      stderr,
      pipes: subprocess.stdio.slice(3).filter((stream) => stream instanceof Readable),
      onExit: (listen) => void subprocess.once('exit', listen),
    }
  } catch (error) {
    return Promise.resolve(notStarted(program, messageOf(error)))
  }
}

function notStarted(program: string, why: string): EngineError {
  return processError('PROCESS_NOT_STARTED', `${nameOf([program])} cannot be started: ${why}`)
}

type Descriptors = [stdin: 'pipe' | 'ignore' | 'inherit', stdout: 'pipe' | 'ignore', stderr: 'pipe', ...'pipe'[]]

function descriptorsOf({ stdin, stdout, pipes = 0 }: ProcessOptions): Descriptors {
  const further = Array.from({ length: Math.min(pipes, MOST_PIPES) }, () => 'pipe' as const)
  return [STDIN[stdin], stdout === 'pipe' ? 'pipe' : 'ignore', 'pipe', ...further]
}

/** The name of a program, without its folder: it may stand in an error or in a line of the log. */
export function nameOf([program = '']: readonly string[]): string {
  return program.slice(program.lastIndexOf('/') + 1).slice(0, 100)
}

/** Before it starts threads, which inherit it. A negative value needs a privilege: without it, nothing changes. */
function yieldTo(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness)
  } catch {
    // It has ended already, or the engine may not.
  }
}

function whyNotStarted(
  { code, cause }: { readonly code?: string | undefined; readonly cause?: unknown },
  { command: [program = ''], cwd }: ProcessOptions,
): EngineError {
  // The system reports both with the same code.
  if (cwd !== undefined && !existsSync(cwd)) return processError('PROCESS_NOT_FOUND', `there is no folder ${cwd}`)
  if (code === 'ENOENT') {
    const where = program.includes('/') ? 'does not exist' : 'is not in PATH'
    return processError('PROCESS_NOT_FOUND', `the program ${program} ${where}`)
  }
  return processError('PROCESS_NOT_STARTED', `${program} cannot be started: ${code ?? messageOf(cause)}`)
}
