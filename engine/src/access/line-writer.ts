// Writes lines in the background: they are collected in memory up to a bound and written in batches; lines that do not
// fit, or cannot be written, are dropped and counted.
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import type { LineDestination } from './access-log.js'
import type { LineFile } from './line-file.js'

const MOST_BYTES = 1024 * 1024
const BATCH_MS = 100
/** Interval of checks whether the path still belongs to the open file. */
const RECHECK_MS = 1000
/** Delay before the next attempt to write to a full pipe. */
const FULL_MS = 100
/** Interval between two warnings. */
const WARN_MS = 60_000
/** Time for writing the pending lines at the end. */
const END_MS = 1000

export interface LineWriterOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Opens the file; called again after it was moved away or failed. */
  open(): Promise<LineFile>
  readonly mostBytes?: number
}

export class LineWriter implements LineDestination, AsyncDisposable {
  /** Lines that were not written. */
  dropped = 0
  readonly #options: LineWriterOptions
  #lines: string[] = []
  #bytes = 0
  #timer: Disposable | undefined
  #file: LineFile | undefined
  #checkedAtMs = -Infinity
  #warnedAtMs = -Infinity
  #writing: Promise<void> = Promise.resolve()
  #isWriting = false
  #isEnding = false
  #isOver = false
  #giveUp: () => void = () => undefined
  readonly #late = new Promise<void>((resolve) => (this.#giveUp = resolve))
  #ended: Promise<void> | undefined

  constructor(options: LineWriterOptions) {
    this.#options = options
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line) + 1
    if (this.#isEnding || this.#bytes + bytes > (this.#options.mostBytes ?? MOST_BYTES)) {
      this.dropped++
      return
    }
    this.#lines.push(line)
    this.#bytes += bytes
    this.#schedule()
  }

  /** Writes the pending lines within a second, and drops the rest. Safe twice. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.end(END_MS)
  }

  /** Accepts no further lines, and writes the pending ones. A second call can shorten the time. */
  async end(withinMs: number): Promise<void> {
    const timer = this.#options.clock.after(withinMs, () => {
      this.#isOver = true
      this.#giveUp()
    })
    this.#ended ??= this.#writeRest()
    await this.#ended
    timer[Symbol.dispose]()
  }

  async #writeRest(): Promise<void> {
    this.#isEnding = true
    this.#timer?.[Symbol.dispose]()
    await Promise.race([this.#writing.then(() => this.#flush()), this.#late])
    this.#isOver = true
    this.dropped += this.#lines.length
    this.#lines = []
    await this.#close()
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isWriting || this.#isEnding) return
    this.#timer = this.#options.clock.after(BATCH_MS, () => {
      this.#timer = undefined
      this.#writing = this.#flush()
    })
  }

  /** Never rejects. */
  async #flush(): Promise<void> {
    if (this.#lines.length === 0) return
    const lines = this.#lines
    this.#lines = []
    this.#bytes = 0
    this.#isWriting = true
    try {
      await this.#writeAll(Buffer.from(`${lines.join('\n')}\n`))
    } catch (error) {
      this.dropped += lines.length
      this.#warn(error)
      await this.#close()
    }
    this.#isWriting = false
    if (this.#lines.length > 0) this.#schedule()
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    const file = await this.#current()
    for (let at = 0; at < bytes.length;) {
      if (this.#isOver) throw new Error('the time ran out before all lines were written')
      const written = await file.write(bytes.subarray(at)).catch((error: unknown) => {
        if (isFull(error)) return 0
        throw error
      })
      at += written
      if (written === 0) await new Promise<void>((resolve) => this.#options.clock.after(FULL_MS, resolve))
    }
  }

  async #current(): Promise<LineFile> {
    const nowMs = this.#options.clock.nowMs()
    if (this.#file !== undefined && nowMs - this.#checkedAtMs >= RECHECK_MS) {
      this.#checkedAtMs = nowMs
      if (!(await this.#file.isCurrent())) await this.#close()
    }
    if (this.#file === undefined) {
      this.#checkedAtMs = nowMs
      this.#file = await this.#options.open()
    }
    return this.#file
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    try {
      await file?.[Symbol.asyncDispose]()
    } catch (error) {
      this.#warn(error)
    }
  }

  #warn(error: unknown): void {
    const nowMs = this.#options.clock.nowMs()
    if (nowMs - this.#warnedAtMs < WARN_MS) return
    this.#warnedAtMs = nowMs
    this.#options.log.warn({ err: error, dropped: this.dropped }, 'the access log cannot be written')
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EAGAIN'
}
