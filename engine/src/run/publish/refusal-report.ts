// Counts refused publishers, and logs them at most once in ten seconds: they come as often as they like.
import type { PublisherRefusal } from '../../plugin/publisher.js'
import type { Clock } from '../../plugin/tokens.js'

const LOG_EVERY_MS = 10_000

export interface RefusedPublisher {
  readonly code: PublisherRefusal
  readonly why: string
  readonly client: string
  readonly key: string
}

export class RefusalReport {
  /** By reason. */
  readonly counts = new Map<PublisherRefusal, number>()
  readonly #clock: Clock
  readonly #log: (fields: RefusedPublisher & { readonly refused: number }) => void
  #unlogged = 0
  #last: RefusedPublisher | undefined
  #timer: Disposable | undefined

  /** `log`: called for the first one at once, then for the newest one of an interval; `refused`: how many there were. */
  constructor(clock: Clock, log: (fields: RefusedPublisher & { readonly refused: number }) => void) {
    this.#clock = clock
    this.#log = log
  }

  note(refused: RefusedPublisher): void {
    this.counts.set(refused.code, (this.counts.get(refused.code) ?? 0) + 1)
    this.#unlogged++
    this.#last = refused
    if (this.#timer === undefined) this.#write()
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
  }

  #write(): void {
    this.#timer = undefined
    if (this.#last === undefined) return
    this.#log({ ...this.#last, refused: this.#unlogged })
    this.#unlogged = 0
    this.#last = undefined
    this.#timer = this.#clock.after(LOG_EVERY_MS, () => this.#write())
  }
}
