// A publisher on one message stream of a connection: what comes before the decision waits, within a bound.
import type { Message } from './message.js'
import { MESSAGE } from './message.js'
import type { MediaType } from './message.js'
import { skipsFormat } from './command.js'
import { scriptDataOf } from './data-message.js'
import { readAggregate } from './aggregate.js'

export interface PublisherEvents {
  /**
   * A message: the body of an FLV tag, valid during the call. Script data begin with their name, without `@setDataFrame`.
   * The time has 32 bits, unsigned.
   */
  media(type: MediaType, timestampMs: number, body: Uint8Array): void
  /** The last call, unless the owner has ended it. */
  ended(reason: PublicationEnd): void
}

/** `unpublished`: the peer says so. `connection`: it is gone. */
export type PublicationEnd = 'unpublished' | 'connection'

/** From here on the peer has to wait. */
const FULL_BYTES = 512 * 1024
/** Room for what has been read already: behind a message of any length, the rest of a read, in however small pieces. */
const MORE_BYTES = 512 * 1024
/** What a message takes besides its body. */
const MESSAGE_BYTES = 64

interface Held {
  readonly type: number
  readonly timestampMs: number
  readonly body: Uint8Array
}

export class Publication {
  /** As `publish` had it. */
  readonly name: string
  #events: PublisherEvents | undefined
  #held: Held[] = []
  #heldBytes = 0
  #mostBytes = Infinity
  #isOver = false
  #isFull = false
  readonly #onWithdrawn: () => void
  readonly #onFull: (isFull: boolean) => void

  /**
   * @param onWithdrawn called if it ends without a decision
   * @param onFull called when nothing more should be read before the decision, and when that is over
   */
  constructor(name: string, onWithdrawn: () => void = () => {}, onFull: (isFull: boolean) => void = () => {}) {
    this.name = name
    this.#onWithdrawn = onWithdrawn
    this.#onFull = onFull
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** What has come so far is handed over at once. */
  accept(events: PublisherEvents): void {
    this.#events = events
    const held = this.#held
    this.#held = []
    for (const { type, timestampMs, body } of held) this.#deliver(type, timestampMs, body)
    this.#setFull(false)
  }

  take({ type, timestampMs, body }: Pick<Message, 'type' | 'timestampMs' | 'body'>): void {
    if (this.#isOver) return
    if (this.#events !== undefined) return this.#deliver(type, timestampMs, body)
    if (this.#heldBytes >= this.#mostBytes) return
    this.#heldBytes += body.length + MESSAGE_BYTES
    this.#held.push({ type, timestampMs, body: body.slice() })
    if (this.#isFull || this.#heldBytes < FULL_BYTES) return
    this.#mostBytes = this.#heldBytes + MORE_BYTES
    this.#setFull(true)
  }

  /** Nothing is handed over from here on. */
  end(reason?: PublicationEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#held = []
    this.#setFull(false)
    if (reason === undefined) return
    if (this.#events === undefined) this.#onWithdrawn()
    else this.#events.ended(reason)
  }

  #setFull(isFull: boolean): void {
    if (this.#isFull === isFull) return
    this.#isFull = isFull
    this.#onFull(isFull)
  }

  #deliver(type: number, timestampMs: number, body: Uint8Array): void {
    const events = this.#events
    if (this.#isOver || events === undefined) return
    if (type === MESSAGE.audio || type === MESSAGE.video) events.media(type, timestampMs, body)
    else if (type === MESSAGE.aggregate) {
      readAggregate(body, timestampMs, (inner, innerMs, innerBody) => {
        if (inner !== MESSAGE.aggregate) this.#deliver(inner, innerMs, innerBody)
      })
    } else if (type === MESSAGE.data || type === MESSAGE.amf3Data) {
      const data = scriptDataOf(skipsFormat(type, body) ? body.subarray(1) : body)
      if (data !== undefined) events.media(MESSAGE.data, timestampMs, data)
    }
  }
}
