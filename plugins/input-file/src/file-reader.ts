// Reads a file, once or forever, in blocks, and hands the bytes over when they are due.
import type { Clock, Boundary } from '@millrace/engine/plugin'
import { fileError } from './file-errors.js'
import { STDIN } from './file-kind.js'
import { LoopLength } from './loop-length.js'
import { openFile } from './open-file.js'
import type { OpenFile } from './open-file.js'
import { PcrSchedule } from './pcr-schedule.js'

export interface FileReaderSettings {
  /** Path of a regular file, or `-`. */
  readonly path: string
  readonly loop: boolean
  readonly pace: 'pcr' | 'none'
  readonly clock: Clock
  /** Called in each pass, when the file has been opened. */
  onOpen(): void
  onBytes(received: Uint8Array | Boundary): void
}

/**
 * Nearly 384 KiB: a multiple of the usual packet size, so that the schedule rarely has to join packets across blocks.
 */
const BLOCK_BYTES = 2088 * 188
/** Limits of reading ahead of the due time. */
const AHEAD_MS = 500
const AHEAD_BYTES = 8 * 1024 * 1024
/** The clock must be found within this many bytes. */
const CLOCK_SEARCH_BYTES = 4 * 1024 * 1024
/** After a longer gap between two batches (the machine was asleep) the schedule moves instead of catching up. */
const MAX_BATCH_GAP_MS = 1000

export class FileReader {
  readonly #settings: FileReaderSettings
  #isCancelled = false
  #holds = 0
  /** Ends the current wait. */
  #wake: () => void = () => undefined
  /** When the first PCR of this pass is due. */
  #passAtMs: number
  /** When due bytes were handed over last. */
  #lastAtMs: number
  /** Blocks that are no longer in use: later blocks are read into them. */
  readonly #spare: Uint8Array[] = []
  /** Set while the file is paced by its clock. */
  #schedule: PcrSchedule | undefined
  /** Called after each batch while enough has been read ahead. */
  #onBatchEnd: (() => void) | undefined
  /** Duration of one pass of this version of the file; measured once. */
  #measured: { readonly version: string; readonly ms: number } | undefined

  constructor(settings: FileReaderSettings) {
    this.#settings = settings
    this.#passAtMs = settings.clock.nowMs()
    this.#lastAtMs = this.#passAtMs
  }

  /** Resolves at the end of the file (never, if it loops) or after `cancel`. Rejects with a FILE_ error. */
  async run(): Promise<void> {
    for (;;) {
      const bytes = await this.#pass()
      if (this.#isCancelled) return
      // Stdin has ended for good.
      if (bytes === 0 && this.#settings.path === STDIN) return
      if (bytes === 0) throw fileError('FILE_EMPTY', `${this.#settings.path} is empty`)
      if (!this.#settings.loop) return
      this.#settings.onBytes({ boundary: true, timeline: 'contiguous' })
    }
  }

  /** Enough has been read ahead; reading continues when the due bytes have been handed over. */
  get isAhead(): boolean {
    return this.#onBatchEnd !== undefined
  }

  /** Hands over the bytes that are due, if the file is paced. */
  onBatch(): void {
    if (this.#schedule !== undefined && !this.#isCancelled) this.#release(this.#schedule)
    this.#onBatchEnd?.()
  }

  /** Nothing is handed over from here on. */
  cancel(): void {
    this.#isCancelled = true
    this.#wake()
  }

  hold(): Disposable {
    let isHeld = true
    this.#holds++
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        if (--this.#holds === 0) this.#wake()
      },
    }
  }

  /** Reads the file once; returns its number of bytes. */
  async #pass(): Promise<number> {
    const file = await openFile(this.#settings.path)
    try {
      if (this.#isCancelled) return 0
      this.#settings.onOpen()
      return await (this.#settings.pace === 'pcr' ? this.#paced(file) : this.#unpaced(file))
    } finally {
      await file.close()
    }
  }

  async #unpaced(file: OpenFile): Promise<number> {
    let total = 0
    while (!this.#isCancelled) {
      if (this.#holds > 0) {
        await this.#wait()
        continue
      }
      const block = await this.#read(file)
      if (block.length === 0) break
      // A hold may have begun while the block was read.
      while (this.#holds > 0 && !this.#isCancelled) await this.#wait()
      total += block.length
      if (!this.#isCancelled) this.#settings.onBytes(block)
    }
    return total
  }

  async #paced(file: OpenFile): Promise<number> {
    const schedule = new PcrSchedule()
    this.#schedule = schedule
    const isMeasured = file.version !== '' && file.version === this.#measured?.version
    const length = this.#settings.loop && !isMeasured ? new LoopLength() : undefined
    const total = await this.#readAhead(file, schedule, length)
    schedule.end()
    if (!schedule.hasClock && total > 0) throw noClock(this.#settings.path)
    await this.#waitWhile(() => schedule.waitingBytes > 0 && !this.#isCancelled)
    if (length !== undefined) {
      this.#measured = { version: file.version, ms: schedule.lastPcrMs + length.finish(schedule.span27M) }
    }
    this.#passAtMs += this.#measured?.ms ?? 0
    return total
  }

  /** Reads the file to its end, at most the limits ahead of handing over; returns its number of bytes. */
  async #readAhead(file: OpenFile, schedule: PcrSchedule, length: LoopLength | undefined): Promise<number> {
    let total = 0
    while (!this.#isCancelled) {
      const block = await this.#read(file)
      if (block.length === 0) break
      total += block.length
      schedule.push(block)
      length?.push(block)
      if (!schedule.isPaced && total >= CLOCK_SEARCH_BYTES) throw noClock(this.#settings.path)
      await this.#waitWhile(() => this.#isFarAhead(schedule))
    }
    return total
  }

  #isFarAhead(schedule: PcrSchedule): boolean {
    if (this.#isCancelled || schedule.knownMs < 0) return false
    const aheadMs = this.#passAtMs + schedule.knownMs - this.#settings.clock.nowMs()
    return aheadMs > AHEAD_MS || schedule.waitingBytes > AHEAD_BYTES
  }

  /** Waits without creating a promise for each batch. */
  async #waitWhile(mustWait: () => boolean): Promise<void> {
    while (mustWait()) {
      const waiting = this.#wait()
      this.#onBatchEnd = () => {
        if (!mustWait()) this.#wake()
      }
      await waiting
      this.#onBatchEnd = undefined
    }
  }

  #release(schedule: PcrSchedule): void {
    const { clock, onBytes } = this.#settings
    const nowMs = clock.nowMs()
    const gapMs = nowMs - this.#lastAtMs
    if (gapMs > MAX_BATCH_GAP_MS) this.#passAtMs += gapMs
    this.#lastAtMs = nowMs
    const handedOver = schedule.spent.length
    const due = schedule.take(nowMs - this.#passAtMs)
    for (const bytes of due) if (!this.#isCancelled) onBytes(bytes)
    // The engine uses the blocks that were handed over last until it receives newer ones.
    if (due.length > 0 && handedOver > 0) this.#spare.push(...schedule.spent.splice(0, handedOver))
  }

  async #read(file: OpenFile): Promise<Uint8Array> {
    const block = this.#spare.pop() ?? new Uint8Array(BLOCK_BYTES)
    return block.subarray(0, await file.read(block))
  }

  /** Resolves when `wake` is called. */
  async #wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (this.#isCancelled) resolve()
    })
  }
}

function noClock(path: string): Error {
  return fileError(
    'FILE_NO_CLOCK',
    `${path} has neither PCRs nor DTS that tell the time in its first ${CLOCK_SEARCH_BYTES / 1024 / 1024} MiB`,
  )
}
