// A child process with its output, killed at the latest when it is disposed or this process ends.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import process from 'node:process'
import { until } from './until.js'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ChildOptions {
  readonly cwd: string
  /** In addition to this process's variables; undefined removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Run in a process group of its own, so the processes it starts can be found, and are killed with it. */
  readonly group?: boolean
  /** Takes its output as bytes; `stdout` stays empty. */
  onStdout?(bytes: Uint8Array): void
  /** It reads what `write` writes, instead of nothing. */
  readonly stdin?: boolean
}

/** Signals that end a test run from outside. */
const FATAL = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

export class Child implements AsyncDisposable {
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  readonly #isGroup: boolean
  #stdout = ''
  #stderr = ''
  #exit: Exit | undefined

  constructor(command: string, args: readonly string[], options: ChildOptions) {
    this.#isGroup = options.group === true
    const env = { ...process.env, ...options.env }
    this.#child = spawn(command, args, {
      cwd: options.cwd,
      env,
      detached: this.#isGroup,
      stdio: [options.stdin === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    })
    if (options.onStdout !== undefined) this.#child.stdout?.on('data', options.onStdout)
    else this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    // It may have ended; `exit` says so.
    this.#child.stdin?.on('error', () => {})
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    const release = this.#endWithUs()
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => {
        release()
        this.#exit = { code, signal }
        // Others of whom it was told may have said something first: that is read in this turn of the event loop.
        setImmediate(resolve, this.#exit)
      })
    })
    this.exited.catch(() => undefined)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit
  }

  write(bytes: Uint8Array): void {
    this.#child.stdin?.write(bytes)
  }

  /** As `| head` does when it ends. */
  closeStdout(): void {
    this.#child.stdout?.destroy()
  }

  /** To the process, not to its group. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves with the match in its stderr; rejects if the process ends without one. */
  async untilStderr(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
    const look = (): RegExpExecArray | undefined => pattern.exec(this.#stderr) ?? undefined
    const said = await until(
      () => look() ?? (this.#exit === undefined ? undefined : 'ended'),
      this.#missing(pattern),
      timeoutMs,
    )
    if (said === 'ended') throw new Error(this.#missing(pattern)())
    return said
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit === undefined) this.#kill()
    await this.exited.catch(() => undefined)
    if (this.#isGroup) this.#kill()
  }

  #missing(pattern: RegExp): () => string {
    return () => `no ${pattern.source} on stderr, exit ${JSON.stringify(this.#exit)}:\n${this.#stderr.slice(-4000)}`
  }

  #kill(): void {
    try {
      process.kill(this.#isGroup ? -this.pid : this.pid, 'SIGKILL')
    } catch {
      // It is gone.
    }
  }

  /** An aborted test run must not leave it behind. */
  #endWithUs(): () => void {
    const kill = (): void => this.#kill()
    const killAndEnd = (signal: NodeJS.Signals): void => {
      kill()
      release()
      process.kill(process.pid, signal)
    }
    const release = (): void => {
      process.off('exit', kill)
      for (const signal of FATAL) process.off(signal, killAndEnd)
    }
    process.on('exit', kill)
    for (const signal of FATAL) process.on(signal, killAndEnd)
    return release
  }
}
