// What a process writes to stderr, as lines of the log: so many a second, the rest counted. The last lines are kept, for
// the error of its exit.
import { maskNamedSecrets } from '../graph/named-secrets.js'
import { printable } from '../observe/printable.js'
import { CUT_MARK } from '../plugin/cut-text.js'
import type { Clock } from '../plugin/tokens.js'
import { StderrLines } from './stderr-lines.js'

const LINES_PER_SECOND = 20
const PERIOD_MS = 1000
/** Kept for the error. */
const LAST_LINES = 5
const LONGEST_LAST = 300

export interface StderrLogSettings {
  readonly clock: Pick<Clock, 'nowMs'>
  /** `leftOut`: lines since the last one that were not written, because there were too many. */
  write(line: string, leftOut: number): void
}

export class StderrLog {
  /** All lines, logged or not. */
  lines = 0
  readonly #settings: StderrLogSettings
  readonly #cutter: StderrLines
  readonly #decoder = new TextDecoder()
  /** The newest lines, undecoded: of the most, none is ever read. */
  readonly #last: Uint8Array[] = []
  #periodMs = -Infinity
  #written = 0
  #leftOut = 0

  constructor(settings: StderrLogSettings) {
    this.#settings = settings
    this.#cutter = new StderrLines((bytes, isCut) => this.#take(bytes, isCut))
  }

  push(bytes: Uint8Array): void {
    this.#cutter.push(bytes)
  }

  /** Stderr has been closed. */
  finish(): void {
    this.#cutter.finish()
    if (this.#leftOut === 0) return
    this.#settings.write('too many lines', this.#leftOut)
    this.#leftOut = 0
  }

  /** Oldest first. */
  get last(): readonly string[] {
    return this.#last.map((bytes) => this.#text(bytes, bytes.length === LONGEST_LAST))
  }

  #take(bytes: Uint8Array, isCut: boolean): void {
    this.lines++
    const oldest = this.#last.length < LAST_LINES ? undefined : this.#last.shift()
    this.#last.push(keep(bytes, oldest))
    const nowMs = this.#settings.clock.nowMs()
    if (nowMs - this.#periodMs >= PERIOD_MS) {
      this.#periodMs = nowMs
      this.#written = 0
    }
    if (this.#written >= LINES_PER_SECOND) {
      this.#leftOut++
      return
    }
    this.#written++
    const leftOut = this.#leftOut
    this.#leftOut = 0
    this.#settings.write(this.#text(bytes, isCut), leftOut)
  }

  #text(bytes: Uint8Array, isCut: boolean): string {
    const text = maskNamedSecrets(printable(this.#decoder.decode(bytes)).trimEnd())
    return isCut ? `${text}${CUT_MARK}` : text
  }
}

/** A copy of the beginning, in the memory of a line that is no longer needed if it fits exactly. */
function keep(bytes: Uint8Array, into: Uint8Array | undefined): Uint8Array {
  const length = Math.min(bytes.length, LONGEST_LAST)
  if (into === undefined || into.buffer.byteLength < length)
    return copyInto(new Uint8Array(LONGEST_LAST), bytes, length)
  return copyInto(new Uint8Array(into.buffer), bytes, length)
}

function copyInto(memory: Uint8Array, bytes: Uint8Array, length: number): Uint8Array {
  memory.set(bytes.subarray(0, length))
  return memory.subarray(0, length)
}
