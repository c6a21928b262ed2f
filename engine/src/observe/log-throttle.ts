// Lines that would repeat: the first of a kind is written at once, the others of the same second are counted and
// written as one. For damage in a live stream, which comes thousands of times a second or never.
import type { Clock } from '../plugin/tokens.js'

/** Kinds told apart at a time; further ones share one. */
const MAX_KINDS = 64
const OVERFLOW_KIND = 'other'

/**
 * Writes a line; called at once, or at the end of the period with the newest call of its kind.
 * `more`: the empty text, or ` (N more)` for those that were counted instead of written.
 */
export type WriteLine = (more: string) => void

interface Kind {
  counted: number
  write: WriteLine
  timer: Disposable
}

export class LogThrottle implements Disposable {
  readonly #clock: Clock
  readonly #periodMs: number
  readonly #kinds = new Map<string, Kind>()

  constructor(clock: Clock, periodMs = 1000) {
    this.#clock = clock
    this.#periodMs = periodMs
  }

  /** Lets the first line of a kind through and counts those that follow within the period. */
  pass(kind: string, write: WriteLine): void {
    const name = this.#kinds.has(kind) || this.#kinds.size < MAX_KINDS ? kind : OVERFLOW_KIND
    const known = this.#kinds.get(name)
    if (known !== undefined) {
      known.counted++
      known.write = write
      return
    }
    this.#kinds.set(name, { counted: 0, write, timer: this.#arm(name) })
    write('')
  }

  /** Writes what has been counted, so that nothing is left out. */
  [Symbol.dispose](): void {
    for (const kind of this.#kinds.values()) {
      kind.timer[Symbol.dispose]()
      writeCounted(kind)
    }
    this.#kinds.clear()
  }

  #arm(name: string): Disposable {
    return this.#clock.after(this.#periodMs, () => this.#endPeriod(name))
  }

  #endPeriod(name: string): void {
    const kind = this.#kinds.get(name)
    if (kind === undefined) return
    if (kind.counted === 0) {
      this.#kinds.delete(name)
      return
    }
    kind.timer = this.#arm(name)
    writeCounted(kind)
  }
}

function writeCounted(kind: Kind): void {
  if (kind.counted === 0) return
  const more = kind.counted - 1
  kind.counted = 0
  kind.write(more === 0 ? '' : ` (${more} more)`)
}
