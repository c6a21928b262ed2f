// The engine's events as one node sees them: its listeners run in its scope, whoever's code the event comes from.
import type { EventNotice, Events } from '../../plugin/tokens.js'
import type { NodeCalls } from './node-calls.js'

export function scopedEvents(events: Events, calls: Pick<NodeCalls, 'call'>): Events {
  const scoped = (listen: (event: EventNotice) => void) => (event: EventNotice) => calls.call(() => listen(event))
  return {
    subscribe: (listen) => events.subscribe(scoped(listen)),
    subscribeClients: (listen) => events.subscribeClients(scoped(listen)),
    recent: () => events.recent(),
  }
}
