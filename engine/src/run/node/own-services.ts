// The injected services that belong to one node: timers that end with it, endpoints that it owns, and the engine's
// events, whose listeners run in its scope, whichever node an event comes from.
import { AUDIENCE, CLOCK, DELIVERY, EVENTS, LISTENERS } from '../../plugin/tokens.js'
import type { Clock, EventNotice, Events } from '../../plugin/tokens.js'
import type { EngineContainer } from './container.js'
import type { NodeCalls } from './node-calls.js'
import type { NodeEndpoints } from './node-endpoints.js'

export interface OwnServices {
  readonly clock: Clock
  readonly calls: Pick<NodeCalls, 'call'>
  /** By default the container's. */
  readonly events: Events | undefined
  readonly endpoints: NodeEndpoints | undefined
}

/** Adds them to the container of the node. */
export function provideOwn(
  container: EngineContainer,
  { clock, calls, events, endpoints }: OwnServices,
): EngineContainer {
  container.provide(CLOCK, clock)
  if (events !== undefined) container.provide(EVENTS, scopedEvents(events, calls))
  if (endpoints !== undefined) {
    container
      .provide(AUDIENCE, endpoints.audiences)
      .provide(DELIVERY, endpoints.delivery)
      .provide(LISTENERS, endpoints.listeners)
  }
  return container
}

function scopedEvents(events: Events, calls: OwnServices['calls']): Events {
  const scoped = (listen: (event: EventNotice) => void) => (event: EventNotice) => calls.call(() => listen(event))
  return {
    subscribe: (listen) => events.subscribe(scoped(listen)),
    subscribeClients: (listen) => events.subscribeClients(scoped(listen)),
    recent: () => events.recent(),
  }
}
