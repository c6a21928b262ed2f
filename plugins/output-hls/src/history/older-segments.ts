// The segments that the last process has left behind the newest ones: read one period after the other, so that little is
// held at a time.
import type { MediaFolder } from '@millrace/engine/plugin'
import type { SpliceRange } from '../playlist/splice-range.js'
import { type ReadingTime, readPeriod } from './read-period.js'
import type { SegmentRecord } from './segment-record.js'
import type { Turns } from './turns.js'

export interface OlderRules {
  /** Oldest first. */
  readonly periods: readonly string[]
  /** The number of the oldest that is known; -1: there is nothing to read. */
  readonly before: number
  /** The keys of the last process are known. */
  readonly hasKeys: boolean
  readonly time: ReadingTime
  readonly turns: Turns
}

/** A disk that takes longer for a period does not answer: nothing more is read from it. */
const MOST_READING_MS = 60_000

export interface OlderReader {
  nowMs(): number
  /** Asked before each period. False: the reading stops there, and can go on. */
  isWanted(): boolean
  /** Other work has its turns between these. */
  segment(segment: SegmentRecord): void
  /** An initialisation section. */
  init(bytes: Uint8Array): void
  range(range: SpliceRange): void
  /** A period cannot be read: it is left out, with what is before it. */
  onUnreadable(error: unknown): void
}

export class OlderSegments {
  readonly rules: OlderRules
  readonly #folder: MediaFolder
  /** Index of the next period. */
  #next = 0
  /** When the period that is being read takes too long. */
  #lateMs = Infinity
  #giveUp: () => void = () => undefined

  constructor(folder: MediaFolder, rules: OlderRules) {
    this.#folder = folder
    this.rules = rules
  }

  /** There are none. */
  get isEmpty(): boolean {
    return this.rules.before < 0
  }

  /**
   * When its turn has come. Resolves with false if it is not wanted any more: the next call goes on where it has stopped.
   * Never rejects.
   */
  async read(reader: OlderReader): Promise<boolean> {
    return this.isEmpty || this.rules.turns.run(() => this.#read(reader))
  }

  /** Call it now and then while a node runs the output: a disk that does not answer is given up. */
  tick(nowMs: number): void {
    if (nowMs >= this.#lateMs) this.#giveUp()
  }

  async #read(reader: OlderReader): Promise<boolean> {
    const { periods } = this.rules
    while (this.#next < periods.length) {
      if (!reader.isWanted()) return false
      try {
        await this.#readPeriod(periods[this.#next++]!, reader)
      } catch (error) {
        reader.onUnreadable(error)
      }
    }
    return true
  }

  async #readPeriod(period: string, reader: OlderReader): Promise<void> {
    const { before, time } = this.rules
    const { segments, inits, ranges } = await this.#inTime(readPeriod(this.#folder, period, time), reader.nowMs())
    for (const bytes of inits) reader.init(Buffer.from(bytes, 'base64'))
    for (const range of ranges) reader.range(range)
    for (const segment of segments) {
      if (segment.sequence >= before) return
      while (time.isOver) await time.next()
      reader.segment(segment)
    }
  }

  /** Rejects if it takes too long: what comes later is not used. */
  async #inTime<T>(reading: Promise<T>, nowMs: number): Promise<T> {
    this.#lateMs = nowMs + MOST_READING_MS
    const late = new Promise<never>((_, reject) => {
      this.#giveUp = () => {
        this.#next = this.rules.periods.length
        reject(new Error(`the disk has not answered for ${MOST_READING_MS / 1000} s`))
      }
    })
    try {
      return await Promise.race([reading, late])
    } finally {
      this.#lateMs = Infinity
    }
  }
}
