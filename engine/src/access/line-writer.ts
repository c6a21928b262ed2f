// Writes lines behind the back of those who have them, to a file that is opened with the first line, and again when it
// was moved away. Nothing here waits for a disk or a reader; what can't be kept is dropped and counted.
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import type { LineTarget } from './access-log.js'
import type { LineFile } from './line-file.js'
import { LineStream } from './line-stream.js'

const MOST_BYTES = 1024 * 1024
/** Between two looks whether the file is still the one of that name. */
const LOOK_MS = 1000
/** Between two warnings. */
const WARN_MS = 60_000
/** What is left at the end gets this long. */
const END_MS = 1000

export interface LineWriterOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Opens it, or opens it again. */
  open(): Promise<LineFile>
  readonly mostBytes?: number
}

export class LineWriter implements LineTarget, AsyncDisposable {
  readonly #options: LineWriterOptions
  readonly #mostBytes: number
  #file: LineFile | undefined
  #stream: LineStream | undefined
  /** While the file is opened or looked at, lines wait here. */
  #checking: Promise<void> | undefined
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
    if (this.#waitingBytes + bytes > this.#mostBytes) {
      this.#dropped++
      return
    }
    this.#waiting.push(text)
    this.#waitingBytes += bytes
  }

  /** Writes what is there, within a second; the rest is dropped. Safe twice. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.end(END_MS)
  }

  /** Takes nothing more, and writes what is there. Called again it may end sooner. */
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

  /** Opens the file, or looks whether it is the one of its name, if it is time for that. */
  #check(): void {
    const nowMs = this.#options.clock.nowMs()
    if (this.#checking !== undefined) return
    if (this.#stream !== undefined && nowMs - this.#checkedAtMs < LOOK_MS) return
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
