// Starts a program with execa, which is told to do nothing else: by default it keeps everything that the process writes,
// hooks the signals of the engine, passes on its environment, and puts all arguments into its errors.
import { existsSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { execa } from 'execa'
import { type EngineError, messageOf } from '../errors.js'
import type { ProcessOptions } from '../plugin/processes.js'
import { processError } from './process-errors.js'

export interface Spawned {
  /** Of the process, and of its group and session. */
  readonly pid: number
  readonly stdin: Writable | null
  readonly stdout: Readable | null
  readonly stderr: Readable | null
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
      stdin: options.stdin === 'pipe' ? 'pipe' : 'ignore',
      stdout: options.stdout === 'pipe' ? 'pipe' : 'ignore',
      stderr: 'pipe',
      buffer: false,
      encoding: 'buffer',
      reject: false,
      // Else NODE_DEBUG=execa prints the arguments.
      verbose: 'none',
    })
    const { pid, stdin, stdout, stderr } = subprocess
    if (pid === undefined) return subprocess.then((result) => whyNotStarted(result, options))
    return {
      pid,
      stdin,
      stdout,
      stderr,
      onExit: (listen) => void subprocess.once('exit', listen),
    }
  } catch (error) {
    const failure = processError('PROCESS_NOT_STARTED', `${nameOf([program])} cannot be started: ${messageOf(error)}`)
    return Promise.resolve(failure)
  }
}

/** The name of a program, without its folder: it may stand in an error or in a line of the log. */
export function nameOf([program = '']: readonly string[]): string {
  return program.slice(program.lastIndexOf('/') + 1).slice(0, 100)
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
