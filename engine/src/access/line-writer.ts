// Writes lines in the background, to a file that is opened with the first line, and again after it was moved away.
// Callers never wait for a disk or a reader; lines that do not fit, or cannot be written, are dropped and counted.
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import type { LineDestination } from './access-log.js'
import type { LineFile } from './line-file.js'
import { LineStream } from './line-stream.js'

const MOST_BYTES = 1024 * 1024
/** Interval of checks whether the path still belongs to the open file, and of attempts to open it. */
const RECHECK_MS = 1000
/** Interval between two warnings. */
const WARN_MS = 60_000
/** Time for writing the pending lines at the end, or to a file that was moved away. */
const END_MS = 1000

export interface LineWriterOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Opens the file; called again after it was moved away or could not be opened. */
  open(): Promise<LineFile>
  readonly mostBytes?: number
}

export class LineWriter implements LineDestination, AsyncDisposable {
  readonly #options: LineWriterOptions
  readonly #mostBytes: number
  #file: LineFile | undefined
  #stream: LineStream | undefined
  #checking: Promise<void> | undefined
  /** Lines that arrive while the file is opened or checked. */
  #waiting: string[] = []
  #waitingBytes = 0
  #dropped = 0
  #checkedAtMs = -Infinity
  #warnedAtMs = -Infinity
  #isEnding = false
  #giveUp: () => void = () => undefined
  readonly #late = new Promise<void>((resolve) => (this.#giveUp = resolve))
  #ended: Promise<void> | undefined

  constructor(options: LineWriterOptions) {
    this.#options = options
    this.#mostBytes = options.mostBytes ?? MOST_BYTES
  }

  /** Lines that were not written. */
  get dropped(): number {
    return this.#dropped + (this.#stream?.dropped ?? 0)
  }

  write(line: string): void {
    const text = `${line}\n`
    if (this.#isEnding) {
      this.#dropped++
      return
    }
    this.#check()
    if (this.#checking === undefined && this.#stream !== undefined) {
      this.#stream.write(text)
      return
    }
    const bytes = Buffer.byteLength(text)
    // Without a check, it could not be opened just now.
    if (this.#checking === undefined || this.#waitingBytes + bytes > this.#mostBytes) {
      this.#dropped++
      return
    }
    this.#waiting.push(text)
    this.#waitingBytes += bytes
  }

  /** Writes the pending lines within a second, and drops the rest. Safe twice. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.end(END_MS)
  }

  /** Accepts no further lines, and writes the pending ones. A second call can shorten the time. */
  async end(withinMs: number): Promise<void> {
    const timer = this.#options.clock.after(withinMs, this.#giveUp)
    this.#ended ??= this.#writeRest()
    await this.#ended
    timer[Symbol.dispose]()
  }

  async #writeRest(): Promise<void> {
    this.#isEnding = true
    const written = Promise.resolve(this.#checking).then(() => this.#stream?.end())
    await Promise.race([this.#late, written])
    this.#stream?.giveUp()
    this.#dropWaiting()
  }

  /** Opens the file if it is not open, or checks whether it was moved away; once per RECHECK_MS. */
  #check(): void {
    const nowMs = this.#options.clock.nowMs()
    if (this.#checking !== undefined) return
    if (nowMs - this.#checkedAtMs < RECHECK_MS) return
    this.#checkedAtMs = nowMs
    this.#checking = this.#checkFile()
  }

  /** Never rejects. */
  async #checkFile(): Promise<void> {
    try {
      if (this.#file !== undefined && !(await this.#file.isCurrent())) await this.#leaveFile()
      if (this.#file === undefined) {
        this.#file = await this.#options.open()
        this.#stream = new LineStream(this.#file.fd, this.#mostBytes, (error) => this.#warn(error))
      }
    } catch (error) {
      this.#dropWaiting()
      this.#warn(error)
    }
    for (const text of this.#waiting) this.#stream?.write(text)
    this.#waiting = []
    this.#waitingBytes = 0
    this.#checking = undefined
  }

  async #leaveFile(): Promise<void> {
    // A pipe that is not read would never take the pending lines.
    using _late = this.#options.clock.after(END_MS, () => this.#stream?.giveUp())
    await this.#stream?.end()
    this.#dropped += this.#stream?.dropped ?? 0
    this.#file = undefined
    this.#stream = undefined
  }

  #dropWaiting(): void {
    this.#dropped += this.#waiting.length
    this.#waiting = []
    this.#waitingBytes = 0
  }

  #warn(error: unknown): void {
    const nowMs = this.#options.clock.nowMs()
    if (nowMs - this.#warnedAtMs < WARN_MS) return
    this.#warnedAtMs = nowMs
    this.#options.log.warn({ err: error, dropped: this.dropped }, 'the access log cannot be written')
  }
}
