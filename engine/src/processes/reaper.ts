// The engine's end of its reaper (reaper-script.ts): one for all processes, started with the first of them. It holds the
// writing end of a pipe, which the kernel closes when the engine dies.
import { randomUUID } from 'node:crypto'
import process from 'node:process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { hasFreeDescriptors } from './free-descriptors.js'
import { type ReapedGroup, renderAdd, renderRemove } from './reaper-orders.js'

const SCRIPT = fileURLToPath(new URL('./reaper-script.js', import.meta.url))
/** It needs 7 MB of its own; the code of Node it shares with the engine. */
const NODE_OPTIONS = ['--single-threaded', '--v8-pool-size=0', '--max-old-space-size=16', '--no-warnings']
const VARIABLE = 'MILLRACE_PROCESSES'
/** A reaper that ends by itself is started again, but not more often than this. */
const RESTART_MS = 10_000
/** Until it tries again if no descriptor was left. */
const RETRY_MS = 1000
const CLOSE_MS = 2000

export interface ReaperSettings {
  readonly clock: Pick<Clock, 'nowMs' | 'after'>
  readonly log: Pick<Logger, 'warn'>
  /** By default that of this package. */
  readonly script?: string
}

export class Reaper implements AsyncDisposable {
  /** Every process has it in its environment; it also tells apart the engines of one machine. */
  readonly mark: Readonly<Record<string, string>> = { [VARIABLE]: randomUUID() }
  readonly #settings: ReaperSettings
  readonly #groups = new Map<number, ReapedGroup>()
  #pipe: Socket | undefined
  #ended: Promise<unknown> = Promise.resolve()
  #startedMs = -Infinity
  #isClosed = false
  #later: Disposable | undefined
  pid: number | undefined

  constructor(settings: ReaperSettings) {
    this.#settings = settings
  }

  /** To be called before the first process is started: the reaper then knows every process from its first moment on. */
  start(): void {
    if (this.#pipe === undefined && this.#later === undefined && !this.#isClosed) this.#start()
  }

  add(group: ReapedGroup): void {
    this.#groups.set(group.group, group)
    this.#pipe?.write(renderAdd(group))
  }

  remove(group: number): void {
    if (this.#groups.delete(group)) this.#pipe?.write(renderRemove(group))
  }

  /** It ends what is left, and itself. Resolves when it has, or after 2 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#later?.[Symbol.dispose]()
    this.#pipe?.end()
    let timer: NodeJS.Timeout | undefined
    await Promise.race([this.#ended, new Promise((resolve) => (timer = setTimeout(resolve, CLOSE_MS)))])
    clearTimeout(timer)
  }

  #start(): void {
    if (!hasFreeDescriptors(1)) return this.#startAfter(RETRY_MS)
    this.#startedMs = this.#settings.clock.nowMs()
    const [[name, value] = []] = Object.entries(this.mark)
    const subprocess = execa(
      process.execPath,
      [...NODE_OPTIONS, this.#settings.script ?? SCRIPT, `${name}=${value}`],
      // A session of its own: Ctrl-C in the terminal must not reach it.
      {
        detached: true,
        cleanup: false,
        cwd: '/',
        env: {},
        extendEnv: false,
        stdin: 'pipe',
        stdout: 'ignore',
        stderr: 'ignore',
        buffer: false,
        reject: false,
        verbose: 'none',
      },
    )
    this.pid = subprocess.pid
    // A child's stdin is a socket, whatever its type says.
    const pipe = subprocess.stdin as unknown as Socket
    this.#pipe = pipe
    // It ends with the engine, so the engine does not wait for it.
    subprocess.unref()
    pipe.unref()
    pipe.on('error', () => undefined)
    for (const group of this.#groups.values()) pipe.write(renderAdd(group))
    this.#ended = subprocess.then(() => this.#noteEnd(pipe))
  }

  #noteEnd(pipe: Socket): void {
    pipe.destroy()
    this.#pipe = undefined
    this.pid = undefined
    if (this.#isClosed) return
    const { clock, log } = this.#settings
    log.warn('the process that ends all others when the engine dies is gone: it is started again')
    this.#startAfter(Math.max(0, this.#startedMs + RESTART_MS - clock.nowMs()))
  }

  #startAfter(waitMs: number): void {
    this.#later = this.#settings.clock.after(waitMs, () => {
      this.#later = undefined
      if (this.#groups.size > 0) this.start()
    })
  }
}
