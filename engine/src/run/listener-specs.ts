// The listeners that a graph asks for; that of the control API is always there.
import type { Graph } from '../graph/graph.js'
import type { ListenerSpec } from '../listen/http-listeners.js'

export const API_LISTENER = 'api'

export function listenerSpecs(graph: Graph): readonly ListenerSpec[] {
  return graph.listeners.map(({ name, address, tls, proxyProtocol, trustedProxies, forwardedHeader, ...limits }) => ({
    name,
    address,
    ...defined({ tls, proxyProtocol, trustedProxies, forwardedHeader, ...limits }),
  }))
}

function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
