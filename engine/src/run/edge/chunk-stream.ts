// The side of an edge that a node sees: a hot observable of chunks. Works like a Subject, without the copy, iterator
// and closure per item: chunks pass every edge of a graph many times a second.
import { Observable, type Subscriber } from 'rxjs'
import type { AnyChunk } from '../../plugin/contract.js'

export class ChunkStream {
  /** Completes at once for a subscriber after the end. */
  readonly chunks: Observable<AnyChunk>
  /**
   * Replaced with each change: subscribing or unsubscribing while a chunk is delivered does not affect that delivery.
   */
  #subscribers: readonly Subscriber<AnyChunk>[] = []
  #isComplete = false

  constructor() {
    this.chunks = new Observable((subscriber) => {
      if (this.#isComplete) return subscriber.complete()
      this.#subscribers = [...this.#subscribers, subscriber]
      return () => (this.#subscribers = this.#subscribers.filter((other) => other !== subscriber))
    })
  }

  next(chunk: AnyChunk): void {
    const subscribers = this.#subscribers
    for (let at = 0; at < subscribers.length; at++) subscribers[at]!.next(chunk)
  }

  complete(): void {
    this.#isComplete = true
    for (const subscriber of this.#subscribers) subscriber.complete()
  }
}
