// What a running engine reports about itself: readiness, the URLs to open, the limits of viewers, the listeners.
import type { EngineStatus, ListenerStatus, Readiness } from '../observe/status.js'
import type { LiveDelivery } from '../deliver/live-delivery.js'
import type { RouteStatus } from '../observe/route-status.js'
import type { Graph } from '../graph/graph.js'
import type { HttpListeners } from '../listen/http-listeners.js'
import type { RunServices } from './node/run-services.js'
import type { EngineNode } from './running-nodes.js'
import { API_LISTENER } from '../graph/node-id.js'

export interface LabelledUrl {
  readonly label: string
  readonly url: string
}

/** `notReady`: the nodes that keep the engine, or the part of it that is asked for, from being ready. */
export function readinessOf(state: EngineStatus['state'], notReady: readonly EngineNode[]): Readiness {
  const reasons = notReady.map(({ id, state: own, why }) => `${id}: ${why === '' ? own : why}`)
  if (state !== 'running') reasons.unshift(`engine: ${state}`)
  return { ready: reasons.length === 0, reasons }
}

/** The URLs a person can open, those for viewers first. */
export function urlsOf(
  { services }: Graph,
  delivery: Pick<LiveDelivery, 'routes'>,
  listeners: Pick<HttpListeners, 'http'>,
): readonly LabelledUrl[] {
  const viewers = delivery.routes().flatMap(({ id, urls }) => urls.map((url) => ({ label: id, url })))
  const { origins } = listeners.http(API_LISTENER)
  const api = origins.map((origin) => ({ label: 'control API', url: `${origin}/api/v1/status` }))
  const served = services.flatMap(({ id, options }) => {
    const { listener, path } = options as { readonly listener?: unknown; readonly path?: unknown }
    if (typeof listener !== 'string' || typeof path !== 'string') return []
    return listeners.http(listener).origins.map((origin) => ({ label: id, url: origin + path }))
  })
  return [...viewers, ...api, ...served]
}

export function viewersOf(route: RouteStatus): ReturnType<RunServices['viewersOf']> {
  const { counters, urls, aliases, limits, limitsReached: reached } = route
  const { max, soft, perAddress } = limits
  const more = aliases.length === 0 ? {} : { aliases }
  return { clients: counters.clients, clientLimits: { max, soft, perAddress, reached }, urls, ...more }
}

export function listenerStatus({ name, address, origins }: Omit<ListenerStatus, 'protocol'>): ListenerStatus {
  const protocol = origins.every((origin) => origin.startsWith('https:')) ? 'https' : 'http'
  return { name, protocol, address, origins }
}
