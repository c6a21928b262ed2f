// The log's lines about viewers that have left: one each while they are few. Clients choose how many they are, so beyond a
// budget one line per output and second counts them by reason. The access log has them all.
import { LineBudget } from '../observe/line-budget.js'
import type { SessionEnd } from '../observe/viewer-events.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { countReason } from './count-reason.js'
import { ShortVisits } from './short-visits.js'

/** Lines of the engine per second, and how many can be saved up. */
const LINES_PER_S = 50
const MOST_SAVED = 200
const SUMMARY_EVERY_MS = 1000

export class ViewerLines {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #budget: LineBudget
  /** By output, then by reason. */
  readonly #counted = new Map<string, Map<string, number>>()
  readonly #shortVisits: ShortVisits
  #summary: Disposable | undefined

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
    this.#shortVisits = new ShortVisits(clock, log)
    this.#budget = new LineBudget(clock, LINES_PER_S, MOST_SAVED)
  }

  /** A viewer has left. */
  add(end: SessionEnd): void {
    if (this.#shortVisits.takes(end)) return
    // One that left earlier is still to be reported: the lines stay in order.
    if (this.#counted.has(end.node) || !this.#budget.take()) return this.count(end)
    const { node, client, path, bytes, durationMs, skips, skippedBytes, reason } = end
    this.#log.info(
      { node, client, path, bytes, durationMs, skips, skippedBytes, reason },
      `viewer ${client} of ${path}: ${reason}`,
    )
  }

  /** A viewer has left with many others: it is only counted. */
  count({ node, reason }: SessionEnd): void {
    const reasons = this.#counted.get(node) ?? new Map<string, number>()
    this.#counted.set(node, reasons)
    countReason(reasons, reason)
    this.#summary ??= this.#clock.after(SUMMARY_EVERY_MS, () => this.flush())
  }

  /** Logs the short visits so far: from here on each viewer is told as it leaves. */
  endShortVisits(): void {
    this.#shortVisits.end()
  }

  /** Logs what has been counted. */
  flush(): void {
    this.#summary?.[Symbol.dispose]()
    this.#summary = undefined
    for (const [node, counts] of this.#counted) {
      const viewers = [...counts.values()].reduce((sum, count) => sum + count, 0)
      this.#log.info({ node, viewers, reasons: Object.fromEntries(counts) }, `${viewers} viewers have left`)
    }
    this.#counted.clear()
  }
}
