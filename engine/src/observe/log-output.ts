// Where the lines of the log go. A line is written before the call returns, as long as the reader keeps up: the last lines
// are there whatever ends the process. A descriptor in non-blocking mode refuses what does not fit; those lines wait in
// memory, up to a bound, and are tried again by a timer. No thread is used: one that writes to a pipe that is not read
// would never come back, and would keep the process from exiting.
import { performance } from 'node:perf_hooks'

const MOST_BYTES = 4 * 1024 * 1024
/** The wait before the next attempt doubles from the first to the last, as long as nothing can be written. */
const FIRST_RETRY_MS = 5
const LAST_RETRY_MS = 100
/** While the process ends: how long it sleeps between two attempts. */
const SLEEP_MS = 5
/** Waiting lines are joined to writes of at least this size. */
const WRITE_BYTES = 64 * 1024

export interface LogOutputOptions {
  /** Returns how many bytes were written; throws EAGAIN if none can be written now. */
  readonly write: (bytes: Uint8Array) => number
  /** Calls `run` once after the delay; it does not keep the process alive. */
  readonly after: (delayMs: number, run: () => void) => unknown
  /** Lines beyond it are dropped. */
  readonly mostBytes?: number
  /** Lines have been dropped, and now lines can be written again. */
  readonly onRecovered?: (dropped: number) => void
}

export class LogOutput {
  readonly #options: LogOutputOptions
  readonly #mostBytes: number
  /** Lines that wait; the first may have been written in part. */
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #dropped = 0
  #reported = 0
  #retryMs = FIRST_RETRY_MS
  #isRetrying = false

  constructor(options: LogOutputOptions) {
    this.#options = options
    this.#mostBytes = options.mostBytes ?? MOST_BYTES
  }

  /** Lines that were not written. */
  get dropped(): number {
    return this.#dropped
  }

  /** `line` ends with a line break. Never blocks, never throws. */
  write(line: string): void {
    const bytes = Buffer.from(line)
    if (this.#waitingBytes + bytes.length > this.#mostBytes) {
      this.#dropped++
      return
    }
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (!this.#isRetrying) this.#writeWaiting()
  }

  /** Before the process ends: blocks until everything is written, for at most `withinMs`. */
  flush(withinMs: number): void {
    const untilMs = performance.now() + withinMs
    while (!this.#drain() && performance.now() < untilMs) sleep(SLEEP_MS)
  }

  #writeWaiting(): void {
    const before = this.#waitingBytes
    if (this.#drain()) {
      this.#retryMs = FIRST_RETRY_MS
      return this.#reportDropped()
    }
    this.#retryMs = this.#waitingBytes < before ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, this.#retryMs * 2)
    this.#isRetrying = true
    this.#options.after(this.#retryMs, () => {
      this.#isRetrying = false
      this.#writeWaiting()
    })
  }

  /** Writes what can be written now. True if nothing waits any more. */
  #drain(): boolean {
    while (this.#waiting.length > 0) {
      try {
        this.#release(this.#options.write(this.#join()))
      } catch (error) {
        if (isBusy(error)) return false
        // A closed reader or a full disk must not end the streams.
        this.#dropped += this.#waiting.length
        this.#waiting = []
        this.#waitingBytes = 0
      }
    }
    return true
  }

  /** The oldest lines, as one. */
  #join(): Uint8Array {
    let count = 0
    for (let size = 0; count < this.#waiting.length && size < WRITE_BYTES; count++) size += this.#waiting[count]!.length
    return count === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting.slice(0, count))
  }

  #release(written: number): void {
    this.#waitingBytes -= written
    let left = written
    let count = 0
    for (; count < this.#waiting.length && this.#waiting[count]!.length <= left; count++)
      left -= this.#waiting[count]!.length
    this.#waiting.splice(0, count)
    if (left > 0) this.#waiting[0] = this.#waiting[0]!.subarray(left)
  }

  #reportDropped(): void {
    const dropped = this.#dropped - this.#reported
    if (dropped === 0) return
    this.#reported = this.#dropped
    this.#options.onRecovered?.(dropped)
  }
}

function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EAGAIN' || code === 'EBUSY'
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
