// The newest lines of the log, for the control API: bounded in number and in bytes, secrets masked, long lines cut.

export interface LogLine {
  /** Counts the lines of this process, from 1. */
  readonly id: number
  /** A JSON object. */
  readonly text: string
}

const MOST_LINES = 1000
/** In UTF-16 code units. */
const MOST_LENGTH = 2 * 1024 * 1024
/** Lets descendants of a log find its lines: each has its parent as prototype. */
const LINES = Symbol('lines')

export class LogLines {
  readonly #lines: LogLine[] = []
  readonly #subscribers = new Set<(line: LogLine) => void>()
  #length = 0
  #lastId = 0

  /** Called for each line, with its line break. Never throws. */
  push(text: string): void {
    const line: LogLine = { id: ++this.#lastId, text }
    this.#lines.push(line)
    this.#length += text.length
    while (this.#lines.length > MOST_LINES || this.#length > MOST_LENGTH) {
      this.#length -= this.#lines.shift()?.text.length ?? 0
    }
    for (const subscriber of this.#subscribers) subscriber(line)
  }

  /** The lines after the one with this id, oldest first; by default all that are kept. */
  recent(afterId = 0): readonly LogLine[] {
    return this.#lines.filter(({ id }) => id > afterId)
  }

  /** Called within the code that logs: it must not log, and must not throw. */
  subscribe(subscriber: (line: LogLine) => void): Disposable {
    const own = (line: LogLine): void => subscriber(line)
    this.#subscribers.add(own)
    return { [Symbol.dispose]: () => void this.#subscribers.delete(own) }
  }
}

/** From now on the log and its descendants have these lines. */
export function attachLines(log: object, lines: LogLines): void {
  Object.defineProperty(log, LINES, { value: lines })
}

/** The lines of a log made by `createLog`, or of a descendant of one. Empty for any other log. */
export function linesOf(log: object): LogLines {
  return LINES in log && log[LINES] instanceof LogLines ? log[LINES] : new LogLines()
}
