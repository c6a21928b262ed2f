// EVENTS in tests: the test emits what the engine would.
import type { EventNotice, Events } from '../plugin/tokens.js'

type Listen = (event: EventNotice) => void

export class TestEvents implements Events {
  readonly #past: EventNotice[]
  readonly #listening = new Set<{ readonly listen: Listen; readonly ofClients: boolean }>()

  /** `past`: what has happened before the node opens. */
  constructor(past: readonly EventNotice[] = []) {
    this.#past = [...past]
  }

  /** How many callbacks are subscribed. */
  get size(): number {
    return this.#listening.size
  }

  subscribe(listen: Listen): Disposable {
    return this.#add(listen, false)
  }

  subscribeClients(listen: Listen): Disposable {
    return this.#add(listen, true)
  }

  recent(): readonly EventNotice[] {
    return [...this.#past]
  }

  /** A viewer's event (`client_connect`, `client_disconnect`) reaches only those who have asked for viewers. */
  emit(event: EventNotice): void {
    const isOfClient = event.kind.startsWith('client_')
    for (const { listen, ofClients } of this.#listening) if (ofClients === isOfClient) listen(event)
  }

  #add(listen: Listen, ofClients: boolean): Disposable {
    const entry = { listen, ofClients }
    this.#listening.add(entry)
    return { [Symbol.dispose]: () => void this.#listening.delete(entry) }
  }
}
