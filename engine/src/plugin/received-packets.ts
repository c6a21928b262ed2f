// The bytes of a publisher on their way to the engine. What comes before the engine subscribes is kept, up to a limit.
import type { Subscriber } from 'rxjs'
import type { Received } from './source.js'

export class ReceivedPackets {
  /** All that have come. */
  bytes = 0
  readonly #mostBytes: number
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #subscriber: Subscriber<Received> | undefined
  #ending: { readonly error: unknown } | undefined

  /** `mostBytes`: kept until the engine subscribes; what does not fit is lost. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Valid during the call. */
  push(packets: Uint8Array): void {
    this.bytes += packets.length
    if (this.#subscriber !== undefined) return this.#subscriber.next(packets)
    if (this.#ending !== undefined || this.#waitingBytes + packets.length > this.#mostBytes) return
    this.#waiting.push(packets.slice())
    this.#waitingBytes += packets.length
  }

  /** The stream has ended, with this error if there is one. Safe twice. */
  end(error?: unknown): void {
    if (this.#ending !== undefined) return
    this.#ending = { error }
    if (this.#subscriber !== undefined) finish(this.#subscriber, error)
  }

  /** Returns what ends the subscription. */
  subscribe(subscriber: Subscriber<Received>): () => void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    for (const packets of waiting) subscriber.next(packets)
    this.#subscriber = subscriber
    if (this.#ending !== undefined) finish(subscriber, this.#ending.error)
    return () => {
      this.#subscriber = undefined
      this.#ending ??= { error: undefined }
    }
  }
}

function finish(subscriber: Subscriber<Received>, error: unknown): void {
  if (error === undefined) subscriber.complete()
  else subscriber.error(error)
}
