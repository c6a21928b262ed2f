// What a node sees of an edge: a hot observable of chunks. Does what a Subject does, without its copy, iterator and
// closure for each item: chunks pass every edge of a graph many times a second.
import { Observable, type Subscriber } from 'rxjs'
import type { AnyChunk } from '../../plugin/contract.js'

export class ChunkStream {
  /** Completes at once for who subscribes after the end. */
  readonly chunks: Observable<AnyChunk>
  /** Another array with each change, so that who comes or goes while a chunk is handed over changes nothing for that one. */
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
