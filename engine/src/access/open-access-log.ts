// The access log that the configuration asks for; a reload can switch it between two lines.
import { AccessLog } from './access-log.js'
import { openLineFile, openStdout } from './line-file.js'
import { LineWriter } from './line-writer.js'
import type { SessionWatcher } from '../observe/viewer-events.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'

export interface OpenAccessLog extends AsyncDisposable {
  readonly watcher: SessionWatcher
  readonly droppedLines: number
  /** The next line goes there; earlier lines still go to the previous destination. */
  switchTo(to: string): void
}

/** Time for a replaced log to write its last lines. */
const CLOSE_MS = 5000

/** `to`: `off`, `stdout`, or the path of a file. Nothing is opened before the first line. */
export function openAccessLog(to: string, clock: Clock, log: Logger): OpenAccessLog {
  return new SwitchedAccessLog(to, clock, log)
}

class SwitchedAccessLog implements OpenAccessLog {
  readonly watcher: SessionWatcher = {
    onStart: () => this.#lines?.onStart(),
    onEnd: (session) => this.#lines?.onEnd(session),
  }
  readonly #clock: Clock
  readonly #log: Logger
  /** Replaced writers that still have lines to write. */
  readonly #closing = new Set<LineWriter>()
  #droppedBefore = 0
  #to: string
  #writer: LineWriter | undefined
  #lines: AccessLog | undefined

  constructor(to: string, clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
    this.#to = to
    this.#open()
  }

  get droppedLines(): number {
    const writers = this.#writer === undefined ? [...this.#closing] : [...this.#closing, this.#writer]
    return writers.reduce((sum, { dropped }) => sum + dropped, this.#droppedBefore)
  }

  switchTo(to: string): void {
    if (to === this.#to) return
    this.#to = to
    const before = this.#writer
    this.#open()
    if (before === undefined) return
    this.#closing.add(before)
    void before.end(CLOSE_MS).then(() => {
      this.#closing.delete(before)
      this.#droppedBefore += before.dropped
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const writers = this.#writer === undefined ? [...this.#closing] : [...this.#closing, this.#writer]
    await Promise.all(writers.map((writer) => writer[Symbol.asyncDispose]()))
  }

  #open(): void {
    const to = this.#to
    const open = to === 'stdout' ? async () => openStdout() : () => openLineFile(to)
    this.#writer = to === 'off' ? undefined : new LineWriter({ clock: this.#clock, log: this.#log, open })
    this.#lines = this.#writer === undefined ? undefined : new AccessLog(this.#clock, this.#writer)
  }
}
