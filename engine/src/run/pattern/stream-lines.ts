// The log's lines about streams that are published and end: one each while they are few. Publishers choose how many they
// are, so beyond a budget one line a second counts them.
import { LineBudget } from '../../observe/line-budget.js'
import type { Logger } from '../../plugin/contract.js'
import type { Clock } from '../../plugin/tokens.js'

const LINES_PER_S = 20
const MOST_SAVED = 100
const SUMMARY_EVERY_MS = 1000

export class StreamLines implements Disposable {
  readonly #pipeline: string
  readonly #clock: Clock
  readonly #log: Pick<Logger, 'info'>
  readonly #budget: LineBudget
  #counts = { published: 0, ended: 0 }
  #summary: Disposable | undefined

  constructor(pipeline: string, clock: Clock, log: Pick<Logger, 'info'>) {
    this.#pipeline = pipeline
    this.#clock = clock
    this.#log = log
    this.#budget = new LineBudget(clock, LINES_PER_S, MOST_SAVED)
  }

  /** `who`: the publisher, if it is still there. */
  published(stream: string, who: { readonly client: string; readonly user?: string } | undefined): void {
    if (this.#isCounted('published')) return
    this.#log.info({ pipeline: this.#pipeline, stream, ...who }, 'a stream is published')
  }

  ended(stream: string, why: string): void {
    if (this.#isCounted('ended')) return
    this.#log.info({ pipeline: this.#pipeline, stream, why }, 'a stream has ended')
  }

  /** Logs what has been counted. Safe twice. */
  [Symbol.dispose](): void {
    this.#summary?.[Symbol.dispose]()
    if (this.#summary !== undefined) this.#write()
  }

  /** While earlier ones are to be reported, too: the lines stay in order. */
  #isCounted(what: 'published' | 'ended'): boolean {
    if (this.#summary === undefined && this.#budget.take()) return false
    this.#counts[what]++
    this.#summary ??= this.#clock.after(SUMMARY_EVERY_MS, () => this.#write())
    return true
  }

  #write(): void {
    const { published, ended } = this.#counts
    this.#counts = { published: 0, ended: 0 }
    this.#summary = undefined
    const text = `${published} more streams were published, and ${ended} have ended`
    this.#log.info({ pipeline: this.#pipeline, published, ended }, text)
  }
}
