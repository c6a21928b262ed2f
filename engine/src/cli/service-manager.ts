// Tells systemd that the engine runs, that it stops, and that its event loop turns (sd_notify(3), WatchdogSec=). That
// takes a datagram on a unix socket, which Node cannot send, so systemd's own program sends it: a shell that is started
// once reads a line for each message. Forking the engine itself for each would hold up its streams.
//
// Messages get lost: systemd-notify fails if systemd does not read them within 5 s, and systemd before 246 drops those
// whose sender has ended by then. So each message says the whole state again.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/** Ends when the engine does, with its stdin, and not before: at a stop, systemd sends SIGTERM to all processes. A line has the words of one message; whether it arrives, the next one shows. */
const SENDER = 'trap "" TERM; while IFS= read -r words; do systemd-notify $words || :; done'
/** https://www.freedesktop.org/software/systemd/man/sd_watchdog_enabled.html */
const WATCHDOG_PARTS = 3
/** That the engine has started is repeated for a minute, watchdog or not: systemd waits for it for 90 s. */
const FIRST_EVERY_MS = 5000
const FIRST_TIMES = 12
/** Before a sender that has ended is replaced: doubled each time, up to a part of the watchdog. */
const FIRST_RESTART_MS = 1000
const LAST_RESTART_MS = 20_000

type Sender = ChildProcessByStdio<Writable, null, null>

export interface ServiceManager extends Disposable {
  /** Everything has started. From now on the watchdog is told that the engine lives. */
  ready(): void
  stopping(): void
}

export interface ServiceManagerSettings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly pid: number
  /** Called with a line of the log when systemd cannot be told. */
  warn(text: string): void
}

/** Does nothing unless systemd has started this process with `Type=notify`. */
export function serviceManager({ env, pid, warn }: ServiceManagerSettings): ServiceManager {
  const none = { ready: () => undefined, stopping: () => undefined, [Symbol.dispose]: () => undefined }
  return env['NOTIFY_SOCKET'] ? new Notifier(watchdogMs(env, pid), warn) : none
}

class Notifier implements ServiceManager {
  readonly #watchdogMs: number | undefined
  readonly #warn: (text: string) => void
  #sender: Sender | undefined
  /** Undefined until everything has started. */
  #state: 'READY=1' | 'STOPPING=1' | undefined
  #repeats = 0
  #restarts = 0
  #timer: NodeJS.Timeout | undefined
  #restartTimer: NodeJS.Timeout | undefined
  #isDisposed = false

  constructor(watchdogMs: number | undefined, warn: (text: string) => void) {
    this.#watchdogMs = watchdogMs
    this.#warn = warn
    this.#start()
  }

  ready(): void {
    this.#state ??= 'READY=1'
    this.#say()
    this.#repeatLater()
  }

  stopping(): void {
    this.#state = 'STOPPING=1'
    this.#say()
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#restartTimer)
    this.#sender?.stdin.end()
  }

  #start(): void {
    let sender: Sender
    try {
      sender = spawn('/bin/sh', ['-c', SENDER], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    } catch (error) {
      this.#restartLater(String(error))
      return
    }
    this.#sender = sender
    sender.on('error', (error) => this.#onEnd(sender, error.message))
    sender.on('exit', (code, signal) => this.#onEnd(sender, signal ?? `status ${code}`))
    sender.stdin.on('error', () => undefined)
    sender.unref()
  }

  #onEnd(sender: Sender, why: string): void {
    if (this.#sender !== sender) return
    this.#sender = undefined
    this.#restartLater(why)
  }

  /** Ended by somebody else, or for want of memory or processes. */
  #restartLater(why: string): void {
    if (this.#isDisposed) return
    const most = Math.min(LAST_RESTART_MS, this.#intervalMs ?? LAST_RESTART_MS)
    const waitMs = Math.min(FIRST_RESTART_MS * 2 ** Math.min(this.#restarts++, 10), most)
    const text = `the shell that tells systemd that the engine runs has ended (${why}): started again in ${waitMs} ms`
    this.#warn(this.#watchdogMs === undefined ? text : `${text}; without it the watchdog ends the engine`)
    this.#restartTimer = setTimeout(() => {
      this.#start()
      this.#say()
    }, waitMs)
    this.#restartTimer.unref()
  }

  get #intervalMs(): number | undefined {
    return this.#watchdogMs === undefined ? undefined : this.#watchdogMs / WATCHDOG_PARTS
  }

  #repeatLater(): void {
    const intervalMs = this.#intervalMs
    const isFirst = this.#repeats++ < FIRST_TIMES
    if (!isFirst && intervalMs === undefined) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(
      () => {
        this.#say()
        this.#repeatLater()
      },
      isFirst ? Math.min(FIRST_EVERY_MS, intervalMs ?? FIRST_EVERY_MS) : intervalMs,
    )
    this.#timer.unref()
  }

  /** A sender that hangs gets no more: the watchdog is then as good as late. */
  #say(): void {
    const to = this.#sender?.stdin
    if (this.#state === undefined || to === undefined || to.writableNeedDrain || !to.writable) return
    to.write(this.#watchdogMs === undefined ? `${this.#state}\n` : `${this.#state} WATCHDOG=1\n`)
  }
}

/** Undefined without a watchdog, and if it is for another process. */
function watchdogMs(env: Readonly<Record<string, string | undefined>>, pid: number): number | undefined {
  const forPid = env['WATCHDOG_PID']
  const ms = Number(env['WATCHDOG_USEC']) / 1000
  return ms > 0 && (forPid === undefined || forPid === String(pid)) ? ms : undefined
}
