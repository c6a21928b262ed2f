// Plays a file once or for ever: reads it in blocks, and hands the bytes over when they are due.
import type { Clock, Received } from '@millrace/engine/plugin'
import { fileError } from './file-errors.js'
import { STDIN } from './file-kind.js'
import { LoopLength } from './loop-length.js'
import { openFile } from './open-file.js'
import type { OpenFile } from './open-file.js'
import { PcrSchedule } from './pcr-schedule.js'

export interface PlaybackSettings {
  /** Of a regular file, or `-`. */
  readonly path: string
  readonly loop: boolean
  readonly pace: 'pcr' | 'none'
  readonly clock: Clock
  /** Called when the file is open, for each pass. */
  onOpen(): void
  onBytes(received: Received): void
}

/** Nearly 384 KiB, and whole packets of the usual 188 bytes, so that the schedule need not join what lies over two. */
const BLOCK_BYTES = 2088 * 188
/** Bytes are read this far ahead of their time, and at most this many. */
const AHEAD_MS = 500
const AHEAD_BYTES = 8 * 1024 * 1024
/** A clock is looked for in this many bytes. */
const CLOCK_SEARCH_BYTES = 4 * 1024 * 1024
/** After a longer time without a beat (the machine was asleep) bytes are not hurried after: the schedule moves. */
const LONGEST_BEAT_MS = 1000

export class Playback {
  readonly #settings: PlaybackSettings
  #isCancelled = false
  #holds = 0
  /** Ends the wait at hand. */
  #wake: () => void = () => undefined
  /** When the first PCR of this pass is due. */
  #passAtMs: number
  /** When due bytes were handed over last. */
  #lastAtMs: number
  /** Blocks that nobody reads any more: those to come are read into them. */
  readonly #spare: Uint8Array[] = []
  /** What is played at the clock's pace. */
  #schedule: PcrSchedule | undefined
  /** Called after each beat while enough has been read ahead. */
  #onBeat: (() => void) | undefined
  /** How long the file as it was then takes until it starts over; measured once. */
  #measured: { readonly version: string; readonly ms: number } | undefined

  constructor(settings: PlaybackSettings) {
    this.#settings = settings
    this.#passAtMs = settings.clock.nowMs()
    this.#lastAtMs = this.#passAtMs
  }

  /** Resolves at the end of the file (never, if it loops) or after `cancel`. Rejects with a FILE_ error. */
  async play(): Promise<void> {
    for (;;) {
      const bytes = await this.#pass()
      if (this.#isCancelled) return
      // Nobody will write more to stdin.
      if (bytes === 0 && this.#settings.path === STDIN) return
      if (bytes === 0) throw fileError('FILE_EMPTY', `${this.#settings.path} is empty`)
      if (!this.#settings.loop) return
      this.#settings.onBytes({ boundary: true, timeline: 'contiguous' })
    }
  }

  /** It has read far enough ahead, and goes on when what is due has been handed over. */
  get isAhead(): boolean {
    return this.#onBeat !== undefined
  }

  /** Hands over what is due, where the file has a pace. */
  onBatch(): void {
    if (this.#schedule !== undefined && !this.#isCancelled) this.#release(this.#schedule)
    this.#onBeat?.()
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

  /** Plays the file once; returns how many bytes it has. */
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
    if (schedule.knownMs < 0 && total > 0) throw noClock(this.#settings.path)
    await this.#waitWhile(() => schedule.waitingBytes > 0 && !this.#isCancelled)
    if (length !== undefined) {
      this.#measured = { version: file.version, ms: schedule.lastPcrMs + length.finish(schedule.span27M) }
    }
    this.#passAtMs += this.#measured?.ms ?? 0
    return total
  }

  /** Reads the file to its end, no faster than it is handed over; returns how many bytes it has. */
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

  /** No promise between two beats, as there are many. */
  async #waitWhile(isToWait: () => boolean): Promise<void> {
    while (isToWait()) {
      const waiting = this.#wait()
      this.#onBeat = () => {
        if (!isToWait()) this.#wake()
      }
      await waiting
      this.#onBeat = undefined
    }
  }

  #release(schedule: PcrSchedule): void {
    const { clock, onBytes } = this.#settings
    const nowMs = clock.nowMs()
    const sinceMs = nowMs - this.#lastAtMs
    if (sinceMs > LONGEST_BEAT_MS) this.#passAtMs += sinceMs
    this.#lastAtMs = nowMs
    const handedOver = schedule.spent.length
    const due = schedule.take(nowMs - this.#passAtMs)
    for (const bytes of due) if (!this.#isCancelled) onBytes(bytes)
    // What was handed over last belongs to the engine until there is something newer.
    if (due.length > 0 && handedOver > 0) this.#spare.push(...schedule.spent.splice(0, handedOver))
  }

  async #read(file: OpenFile): Promise<Uint8Array> {
    const block = this.#spare.pop() ?? new Uint8Array(BLOCK_BYTES)
    return block.subarray(0, await file.read(block))
  }

  /** Until `wake` is called. */
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
    `${path} has no PCR, or only one, in its first ${CLOCK_SEARCH_BYTES / 1024 / 1024} MiB`,
  )
}
