// Processes that a node starts: a program with a list of arguments, never a shell. The engine owns them: it logs what they
// write to stderr, and ends each with everything that it has started when the node ends, and when the engine dies.
import type { EngineError } from '../errors.js'

export interface Processes {
  /**
   * Starts a program. Never throws for what is wrong with the program or the machine: `onExit` tells, with `failure`.
   * Throws TypeError for an empty command and for a NUL character in an argument.
   */
  start(options: ProcessOptions, callbacks: ProcessCallbacks): Process
}

export interface ProcessOptions {
  /** A program of PATH, or its path (relative to `cwd`), and its arguments, as the program receives them. */
  readonly command: readonly string[]
  /** Absolute. By default the working folder of the engine. */
  readonly cwd?: string
  /**
   * In addition to the variables that every process receives: PATH, HOME, USER, LOGNAME, LANG, LANGUAGE, LC_*, TZ, TMPDIR,
   * LD_LIBRARY_PATH, SSL_CERT_FILE and SSL_CERT_DIR, as far as the engine has them. Others may hold secrets.
   */
  readonly env?: Readonly<Record<string, string>>
  /** `none`: it reads an empty stdin. */
  readonly stdin: 'pipe' | 'none'
  /** `none`: what it writes is discarded. */
  readonly stdout: 'pipe' | 'none'
}

/** Called in the scope of the node: what a callback throws is a failure of the node. None is called after `onExit`. */
export interface ProcessCallbacks {
  /** It has written to stdout. The bytes are valid only during the call. By default they are discarded. */
  onOutput?(bytes: Uint8Array): void
  /** Everything that it has written to stdout has been passed on, and nothing follows: stdout is closed. */
  onOutputEnd?(): void
  /** It takes more on stdin: `write` has returned false before. */
  onDrain?(): void
  /**
   * Called once: it has ended, with all processes of its group, and its output has been passed on; or it could not be
   * started.
   */
  onExit(exit: ProcessExit): void
}

export interface Process {
  /** Undefined if it could not be started: `onExit` follows. */
  readonly pid: number | undefined
  /** Bytes written to stdin that it has not taken yet. */
  readonly pendingBytes: number
  /**
   * Writes to stdin. False if it takes nothing more for now: wait for `onDrain`. What is written is not copied, and must
   * not change. Once the process has closed its stdin, the bytes are discarded, and true is returned.
   */
  write(bytes: Uint8Array): boolean
  /** Closes stdin once it has taken everything. Safe twice. */
  endInput(): void
  /** Stops reading its stdout until the hold is disposed: the pipe fills, and the process waits. */
  hold(): Disposable
  /**
   * Ends it and its group: the signal, and SIGKILL if it is still there after the grace time. A later call can only
   * shorten the grace time. Resolves when all of it has ended, after `onExit`. Safe at any time.
   */
  stop(how?: StopOptions): Promise<void>
}

export interface StopOptions {
  /** By default SIGTERM. */
  readonly signal?: StopSignal
  /** By default 5 s. */
  readonly graceMs?: number
}

export type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGHUP' | 'SIGUSR1' | 'SIGUSR2' | 'SIGKILL'

export interface ProcessExit {
  /** Null if a signal has ended it, or if it could not be started. */
  readonly code: number | null
  readonly signal: string | null
  /** Why it could not be started: PROCESS_NOT_FOUND, PROCESS_NOT_STARTED, PROCESS_LIMIT. */
  readonly failure?: EngineError
  /** Its last lines on stderr, oldest first; a few, and none of them long. */
  readonly lastLines: readonly string[]
  /** For people: `ffmpeg exited with code 1: in.mp4: No such file or directory`. */
  readonly text: string
}
