// Processes that a node starts: a program with a list of arguments, never a shell. The engine owns them: it logs what they
// write to stderr, and ends each with everything that it has started when the node ends, and when the engine dies.
import type { EngineError } from '../errors.js'
import type { ProgramNeed } from './program-need.js'

export interface Processes {
  /**
   * Starts a program. Never throws for what is wrong with the program or the machine: `onExit` tells, with `failure`.
   * Throws TypeError for an empty command and for a NUL character in an argument.
   */
  start(options: ProcessOptions, callbacks: ProcessCallbacks): Process
  /**
   * The path of a program: as `engine check` finds it. Looks on disk; undefined if it is not there. `start` does not need it,
   * but looks only in PATH.
   */
  find(need: ProgramNeed): string | undefined
  /**
   * Runs a program that reads bytes from stdin, writes bytes to stdout, and ends by itself. Of the whole engine two of them
   * run at once: the others wait, in the order of the calls, at most one of each node. Never rejects.
   */
  convert(options: ConvertOptions): Promise<Conversion>
}

export interface ConvertOptions extends Pick<ProcessOptions, 'command' | 'niceness'> {
  /** Must not change until the conversion has ended. */
  readonly input: Uint8Array
  /** It is killed if it writes more. */
  readonly mostOutputBytes: number
  /** From its start; then it is killed. */
  readonly timeoutMs: number
  /** It is killed, or not started, when this aborts. */
  readonly signal: AbortSignal
}

/** What it has written, or why there is nothing: it has failed, was too slow, or has written too much. */
export type Conversion =
  { readonly output: Uint8Array; readonly failure?: never } | { readonly failure: string; readonly output?: never }

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
  /** `none`: it reads an empty stdin. `inherit`: it reads that of the engine, which only one process can. */
  readonly stdin: 'pipe' | 'none' | 'inherit'
  /** `none`: what it writes is discarded. */
  readonly stdout: 'pipe' | 'none'
  /** Further pipes that it writes to: its descriptors 3, 4 and so on; at most 32. By default none. */
  readonly pipes?: number
  /** -20 to 19: how far other processes go first. By default like the engine. */
  readonly niceness?: number
}

/** `none`: the line is not logged. */
export type LineLevel = 'debug' | 'info' | 'warn' | 'error' | 'none'

/** Called in the scope of the node: what a callback throws is a failure of the node. None is called after `onExit`. */
export interface ProcessCallbacks {
  /** It has written to stdout. The bytes are valid only during the call. By default they are discarded. */
  onOutput?(bytes: Uint8Array): void
  /** Everything that it has written to stdout has been passed on, and nothing follows: stdout is closed. */
  onOutputEnd?(): void
  /** Like `onOutput`, for a further pipe: 0 for descriptor 3. */
  onPipe?(pipe: number, bytes: Uint8Array): void
  /** Like `onOutputEnd`, for a further pipe. */
  onPipeEnd?(pipe: number): void
  /**
   * A line of its stderr that is about to be logged, at most 20 a second: returns its level, and what is logged instead
   * of it. By default the line, with the level `info`.
   */
  onLine?(line: string): { readonly level: LineLevel; readonly text: string }
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
  /** Memory that the process itself occupies now; 0 if that is not known. */
  readonly residentBytes: number
  /**
   * Writes to stdin. False if it takes nothing more for now: wait for `onDrain`. What is written is not copied, and must
   * not change. Once the process has closed its stdin, the bytes are discarded: false is returned as long as it runs, since it
   * takes nothing any more; true once it has ended.
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
