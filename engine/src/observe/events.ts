// Events, for people and programs that watch: a bounded record of the newest ones, and subscribers.
import type { Clock } from '../plugin/tokens.js'
import type { Logger } from '../plugin/contract.js'

export type EventData = Readonly<Record<string, string | number | boolean>>

export interface EngineEvent {
  /** Counts all events of this process, from 1. */
  readonly id: number
  /** Unix time, milliseconds. */
  readonly atMs: number
  /** `node.degraded`, `engine.stopping`, or a name that a plugin defines. */
  readonly kind: string
  /** Id of the node concerned. */
  readonly node?: string
  readonly data: EventData
}

const DEFAULT_CAPACITY = 1000

export class EventLog {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #capacity: number
  readonly #subscribers = new Set<(event: EngineEvent) => void>()
  /** A ring: the event of id n is at n % capacity. */
  readonly #ring: EngineEvent[] = []
  #lastId = 0

  constructor(clock: Clock, log: Logger, capacity = DEFAULT_CAPACITY) {
    this.#clock = clock
    this.#log = log
    this.#capacity = capacity
  }

  /** Records an event and passes it to the subscribers before it returns. Never throws. */
  emit(event: { readonly kind: string; readonly node?: string; readonly data?: EventData }): EngineEvent {
    const id = ++this.#lastId
    const atMs = this.#clock.wallMs(this.#clock.nowMs())
    const recorded: EngineEvent = { ...event, id, atMs, data: event.data ?? {} }
    this.#ring[id % this.#capacity] = recorded
    for (const subscriber of [...this.#subscribers]) this.#deliver(subscriber, recorded)
    return recorded
  }

  /** The recorded events after the one with this id, oldest first; by default all. */
  recent(afterId = 0): readonly EngineEvent[] {
    const events: EngineEvent[] = []
    const oldest = Math.max(this.#lastId - this.#capacity, afterId) + 1
    for (let id = Math.max(oldest, 1); id <= this.#lastId; id++) {
      const event = this.#ring[id % this.#capacity]
      if (event !== undefined) events.push(event)
    }
    return events
  }

  /** Called for each event from now on; a subscriber that throws is removed. */
  subscribe(subscriber: (event: EngineEvent) => void): Disposable {
    const own = (event: EngineEvent): void => subscriber(event)
    this.#subscribers.add(own)
    return { [Symbol.dispose]: () => void this.#subscribers.delete(own) }
  }

  #deliver(subscriber: (event: EngineEvent) => void, event: EngineEvent): void {
    try {
      subscriber(event)
    } catch (error) {
      this.#subscribers.delete(subscriber)
      this.#log.error({ err: error, event: event.kind }, 'an event subscriber failed and was removed')
    }
  }
}
