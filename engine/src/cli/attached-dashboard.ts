// `engine run --tui`: the dashboard as a process of its own, which has the terminal. The engine is not in its way: it
// writes its log to a file meanwhile, and whatever ends the dashboard, the terminal is restored and the engine runs on.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { Graph } from '../graph/graph.js'
import { createLog } from '../observe/log.js'
import { printable } from '../observe/printable.js'
import { openStderr } from '../observe/stderr.js'
import { readToken } from '../state/state-dir.js'
import type { CliStreams } from './cli-streams.js'
import { STOP_ENGINE } from './exit-codes.js'
import type { EngineHandle, RunDependencies } from './run-files.js'
import { RunLog } from './run-log.js'

const ENGINE_BIN = fileURLToPath(new URL('../../bin/engine.js', import.meta.url))
const LOG_NAME = 'run.log'
const MAX_REASON = 4000
/** How long a dashboard has to end before it is killed. */
const END_MS = 2000
/**
 * What a dashboard that was killed leaves on: alternate screen, hidden cursor, bracketed paste, mouse reports, keypad
 * mode, colours (xterm, ctlseqs).
 */
const RESTORE = '\u001B[?1000l\u001B[?1006l\u001B[?2004l\u001B[?1l\u001B>\u001B[?25h\u001B[m\u001B[?1049l'

export interface AttachedDashboard extends AsyncDisposable {
  readonly dependencies: Pick<RunDependencies, 'createLog' | 'onRunning'>
}

/** Undefined without a terminal, which is said. */
export function attachDashboard({ out, err, env }: CliStreams): AttachedDashboard | undefined {
  if (out.isTTY === true && process.stdin.isTTY && env['TERM'] !== 'dumb') return new TerminalDashboard(err)
  err.write('warning: --tui needs a terminal on stdin and stdout; running without it\n')
  return undefined
}

class TerminalDashboard implements AttachedDashboard {
  readonly #err: CliStreams['err']
  readonly #stderr = openStderr(() => undefined)
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #isEnding = false
  #stateDir = ''
  #logPath = ''
  /** While the dashboard has the terminal; `lost` if it could not be opened. */
  #file: RunLog | 'lost' | undefined

  constructor(err: CliStreams['err']) {
    this.#err = err
  }

  readonly dependencies = {
    createLog: (graph: Graph): Logger => {
      const { stateDir, log } = graph.engine
      this.#stateDir = stateDir
      this.#logPath = join(stateDir, LOG_NAME)
      const stream = { write: (line: string): void => this.#write(line) }
      return createLog({ level: log.level, secrets: graph.secrets, stream, pretty: true, colour: false })
    },
    onRunning: (engine: EngineHandle): void => {
      // Another engine's in the environment would be of no use.
      readToken(this.#stateDir)
        .catch(() => undefined)
        .then((token) => this.#isEnding || this.#start(engine, token))
        .catch((error: unknown) => this.#err.write(`warning: the dashboard could not be started: ${String(error)}\n`))
    },
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    const child = this.#child
    if (child === undefined) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
    await this.#ended
    clearTimeout(timer)
  }

  #start(engine: EngineHandle, token: string | undefined): void {
    const api = engine.urls().find(({ label }) => label === 'control API')
    if (api === undefined) return
    // Node remembers the mode of the terminal, which `#restore` sets again. The dashboard wants raw mode anyway.
    process.stdin.setRawMode(true)
    this.#openLog()
    const args = [ENGINE_BIN, 'top', '--owner', '--api', new URL(api.url).origin]
    const env = token === undefined ? process.env : { ...process.env, ENGINE_TOKEN: token }
    const child = spawn(process.execPath, args, { stdio: ['inherit', 'inherit', 'pipe'], env })
    this.#child = child
    process.once('exit', this.#onExit)
    let reason = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      reason = (reason + text).slice(-MAX_REASON)
    })
    child.on('error', (error) => (reason += error.message))
    // `close` also comes after `error`.
    this.#ended = once(child, 'close').then(
      () => this.#end(child, reason),
      () => this.#end(child, reason),
    )
  }

  #end({ exitCode, signalCode }: ChildProcess, reason: string): void {
    this.#child = undefined
    process.off('exit', this.#onExit)
    // The terminal has vanished: the log stays in its file.
    if (signalCode === 'SIGHUP') return
    const isClean = exitCode === 0 || exitCode === STOP_ENGINE
    this.#restore(isClean)
    this.#file = undefined
    const how = signalCode === null ? `with exit code ${exitCode}` : `by ${signalCode}`
    if (!isClean && !this.#isEnding) {
      this.#err.write(`the dashboard ended ${how}: the engine runs on; \`engine top\` shows it again\n`)
      this.#err.write(printable(reason))
    } else if (exitCode === 0 && !this.#isEnding) this.#err.write('the engine runs on; Ctrl-C stops it\n')
    this.#err.write(`its log meanwhile: ${this.#logPath}\n`)
    if (exitCode === STOP_ENGINE) process.kill(process.pid, 'SIGTERM')
  }

  /** A bug, or a second signal, ends this process at once: the shell gets its terminal back. */
  readonly #onExit = (): void => {
    this.#child?.kill('SIGKILL')
    this.#restore(false)
    this.#err.write(`the log: ${this.#logPath}\n`)
  }

  /** Modes that only a dashboard that died leaves behind, and raw mode. */
  #restore(isClean: boolean): void {
    try {
      if (!isClean) process.stdout.write(RESTORE)
      process.stdin.setRawMode(false)
    } catch {
      // The terminal has vanished.
    }
  }

  #openLog(): void {
    try {
      this.#file = new RunLog(this.#logPath)
    } catch (error) {
      this.#err.write(`warning: the log is lost while the dashboard runs: ${String(error)}\n`)
      this.#file = 'lost'
    }
  }

  #write(line: string): void {
    if (this.#file === undefined) this.#stderr.write(line)
    else if (this.#file !== 'lost') this.#file.write(line)
  }
}
