// The engine's events as one node subscribes to them: in the scope of the node, whichever node an event comes from, in
// bounded number, and until the node ends.
import type { Events, EventNotice } from '../../plugin/tokens.js'
import type { NodeCalls } from './node-calls.js'

const MAX_SUBSCRIPTIONS = 100

export class NodeEvents implements Events, Disposable {
  readonly #events: Events
  readonly #calls: Pick<NodeCalls, 'call'>
  readonly #open = new Set<Disposable>()

  constructor(events: Events, calls: Pick<NodeCalls, 'call'>) {
    this.#events = events
    this.#calls = calls
  }

  subscribe(listen: (event: EventNotice) => void): Disposable {
    return this.#add(() => this.#events.subscribe(this.#scoped(listen)))
  }

  subscribeClients(listen: (event: EventNotice) => void): Disposable {
    return this.#add(() => this.#events.subscribeClients(this.#scoped(listen)))
  }

  recent(): readonly EventNotice[] {
    return this.#events.recent()
  }

  /** Ends the subscriptions that are left. */
  [Symbol.dispose](): void {
    for (const subscription of this.#open) subscription[Symbol.dispose]()
    this.#open.clear()
  }

  #add(subscribe: () => Disposable): Disposable {
    if (this.#open.size >= MAX_SUBSCRIPTIONS)
      throw new RangeError(`a node can have ${MAX_SUBSCRIPTIONS} subscriptions of events; dispose those of no more use`)
    const subscription = subscribe()
    this.#open.add(subscription)
    return {
      [Symbol.dispose]: () => {
        this.#open.delete(subscription)
        subscription[Symbol.dispose]()
      },
    }
  }

  #scoped(listen: (event: EventNotice) => void): (event: EventNotice) => void {
    return (event) => this.#calls.call(() => listen(event))
  }
}
