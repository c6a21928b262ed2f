// A text that is costly to make, shared by requests that accept one of some age (RFC 9111, section 5.2.1.1): many dashboards
// that ask for the status cost as much as one. Requests that come while one is made share the next one, which shows what
// was so after they came.
import type { Clock } from '../plugin/tokens.js'
import { etagOf } from './etag.js'

const MAX_AGE = /(?:^|[ ,])max-age=(\d{1,5})(?:[ ,]|$)/
/** Nobody gets an older one, whatever is accepted. */
const MOST_MS = 10_000

export interface TaggedText {
  readonly text: string
  /** Of the text, for ETag, with its quotes. */
  readonly tag: string
}

export class SharedText {
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #make: () => Promise<string>
  #text: TaggedText = { text: '', tag: '' }
  /** When the making of the text began. */
  #madeMs = -Infinity
  /** Settles when nothing is being made. Never rejects. */
  #making: Promise<unknown> = Promise.resolve()
  /** One whose making has not begun. */
  #next: Promise<TaggedText> | undefined

  constructor(clock: Pick<Clock, 'nowMs'>, make: () => Promise<string>) {
    this.#clock = clock
    this.#make = make
  }

  /** `cacheControl`: of the request; without `max-age` the text is made now. Rejects with the error of `make`. */
  async read(cacheControl: string | undefined): Promise<TaggedText> {
    const seconds = Number(MAX_AGE.exec(cacheControl ?? '')?.[1] ?? 0)
    if (this.#clock.nowMs() - this.#madeMs < Math.min(seconds * 1000, MOST_MS)) return this.#text
    this.#next ??= this.#afterwards()
    return this.#next
  }

  #afterwards(): Promise<TaggedText> {
    const next = this.#making.then(async () => {
      this.#next = undefined
      const nowMs = this.#clock.nowMs()
      const text = await this.#make()
      this.#text = { text, tag: etagOf(text) }
      this.#madeMs = nowMs
      return this.#text
    })
    this.#making = next.catch(() => undefined)
    return next
  }
}
