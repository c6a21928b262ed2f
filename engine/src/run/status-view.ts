// What a running engine reports about itself: readiness, the URLs to open, the limits of viewers, the listeners.
import type { EngineSample, EngineStatus, ListenerStatus, NodeStatus, Readiness } from '../observe/status.js'
import type { LiveDelivery } from '../deliver/live-delivery.js'
import type { AudienceStatus } from '../observe/audience-status.js'
import type { RouteStatus } from '../observe/route-status.js'
import type { Graph } from '../graph/graph.js'
import type { EngineListeners } from '../listen/engine-listeners.js'
import type { Running } from './change/reload-transaction.js'
import type { PipelineServices } from './pipeline/pipeline-runner.js'
import type { EngineNode, RunningNodes } from './running-nodes.js'
import { API_LISTENER } from '../graph/node-id.js'
import { namedListeners } from '../plugin/named-listeners.js'

export interface LabelledUrl {
  readonly label: string
  readonly url: string
}

/** Of everything, of one pipeline, or of one node; undefined if there is no such thing. */
export function readinessOf(
  state: EngineStatus['state'],
  nodes: RunningNodes,
  { pipeline, node }: { readonly pipeline?: string; readonly node?: string } = {},
): Readiness | undefined {
  const isAsked = ({ id }: EngineNode): boolean =>
    (node === undefined || id === node) &&
    (pipeline === undefined || id.startsWith(`${pipeline}/`) || id.startsWith(`${pipeline}@`))
  if ((node ?? pipeline) !== undefined && !nodes.all.some(isAsked)) return undefined
  const notReady = nodes.notReady().filter(isAsked)
  const reasons = notReady.map(({ id, state: own, why }) => `${id}: ${why === '' ? own : why}`)
  if (state !== 'running') reasons.unshift(`engine: ${state}`)
  return { ready: reasons.length === 0, reasons }
}

/** The URLs a person can open, those for viewers first. */
export function urlsOf(
  { services }: Graph,
  delivery: Pick<LiveDelivery, 'routes'>,
  listeners: Pick<EngineListeners, 'http'>,
): readonly LabelledUrl[] {
  const viewers = delivery.routes().flatMap(({ id, urls }) => urls.map((url) => ({ label: id, url })))
  const { origins } = listeners.http(API_LISTENER)
  const api = origins.map((origin) => ({ label: 'control API', url: `${origin}/api/v1/status` }))
  const served = services.flatMap(({ id, definition, options }) => {
    const { path } = options as { readonly path?: unknown }
    const [listener] = namedListeners(definition, options)
    if (listener?.protocol !== 'http' || typeof path !== 'string') return []
    return listeners.http(listener.name).origins.map((origin) => ({ label: id, url: origin + path }))
  })
  return [...viewers, ...api, ...served]
}

export function viewersOf(
  audience: AudienceStatus | undefined,
  route: RouteStatus | undefined,
): ReturnType<PipelineServices['viewersOf']> {
  return { ...(audience && audienceOf(audience)), ...(route && addressesOf(route)) }
}

function audienceOf({ counters, limits, limitsReached: reached }: AudienceStatus) {
  const { max, soft, perAddress } = limits
  return { clients: counters.clients, clientLimits: { max, soft, perAddress, reached } }
}

function addressesOf({ urls, aliases }: RouteStatus) {
  return aliases.length === 0 ? { urls } : { urls, aliases }
}

/** `node`: of a listener by a plugin. */
export function listenerStatus(
  { name, protocol, address, origins }: Pick<ListenerStatus, 'name' | 'protocol' | 'address' | 'origins'>,
  node: EngineNode | undefined,
): ListenerStatus {
  return { name, protocol, address, origins, ...(node === undefined ? {} : { node: node.status() }) }
}

/** `at`: RFC 3339. Of everything, or of one pipeline. */
export function sampleOf({ services, pipelines }: Running, at: string, pipeline: string | undefined): EngineSample {
  const asked = pipelines.filter(({ name }) => pipeline === undefined || name === pipeline).map((each) => each.status())
  const beside = pipeline === undefined ? services.map((service) => service.status()) : []
  const nodes = [...beside, ...asked.flatMap((each) => each.nodes)]
  return {
    at,
    clients: nodes.reduce((sum, { clients = 0 }) => sum + clients, 0),
    nodes: nodes.map(nodeSample),
    edges: asked.flatMap(({ edges }) => edges),
  }
}

function nodeSample(status: NodeStatus): EngineSample['nodes'][number] {
  const { id, state, receivedBytes, sentBytes, bitsPerSecond, clients } = status
  return {
    id,
    state,
    receivedBytes,
    sentBytes,
    ...(bitsPerSecond === undefined ? {} : { bitsPerSecond }),
    ...(clients === undefined ? {} : { clients }),
  }
}
