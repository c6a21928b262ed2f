// What a running engine reports about itself: readiness, the URLs to open, the limits of viewers, the listeners.
import type { EngineSample, EngineStatus, ListenerStatus, Readiness } from '../observe/status.js'
import type { LiveDelivery } from '../deliver/live-delivery.js'
import type { AudienceStatus } from '../observe/audience-status.js'
import type { RouteStatus } from '../observe/route-status.js'
import type { Graph, NodeSettings, Pipeline } from '../graph/graph.js'
import type { EngineListeners } from '../listen/engine-listeners.js'
import { HttpListener } from '../listen/http-listener.js'
import type { Running } from './change/reload-transaction.js'
import { summariseCopies } from './pattern/copies-summary.js'
import type { PipelineServices } from './pipeline/pipeline-runner.js'
import { type SampledNode, samplePipeline } from './pipeline/pipeline-sample.js'
import type { EngineNode, RunningNodes } from './running-nodes.js'
import { offeredUrls, offeringListeners } from './offered-urls.js'
import { readResources } from '../config/section/resources.js'
import { API_LISTENER, isNodeOrCopy, listenerNodeId, splitCopyName } from '../graph/node-id.js'
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
  unbound: ReadonlyMap<string, string> = new Map(),
): Readiness | undefined {
  const isAsked = ({ id }: EngineNode): boolean =>
    (node === undefined || isNodeOrCopy(id, node)) &&
    (pipeline === undefined || id.startsWith(`${pipeline}/`) || id.startsWith(`${pipeline}@`))
  if ((node ?? pipeline) !== undefined && !nodes.all.some(isAsked)) return undefined
  const notReady = nodes.notReady().filter(isAsked)
  const reasons = notReady.map(({ id, state: own, why }) => `${id}: ${why === '' ? own : why}`)
  for (const [name, why] of unbound) {
    const id = listenerNodeId(name)
    if (pipeline === undefined && (node === undefined || node === id)) reasons.push(`${id}: ${why}`)
  }
  if (state !== 'running') reasons.unshift(`engine: ${state}`)
  return { ready: reasons.length === 0, reasons }
}

/** The URLs a person can open: pages first, then the streams of viewers. */
export function urlsOf(
  { services, pipelines }: Graph,
  delivery: Pick<LiveDelivery, 'routes'>,
  listeners: Pick<EngineListeners, 'http' | 'all'>,
): readonly LabelledUrl[] {
  const viewers = delivery.routes().flatMap(({ id, urls }) => urls.map((url) => ({ label: id, url })))
  const { origins } = listeners.http(API_LISTENER)
  const page = origins.map((origin) => ({ label: 'status page', url: `${origin}/` }))
  const api = [...page, ...origins.map((origin) => ({ label: 'control API', url: `${origin}/api/v1/status` }))]
  const mounted = ({ id, definition, options }: NodeSettings): readonly LabelledUrl[] => {
    const [listener] = namedListeners(definition, options)
    const path = pathOf(options)
    if (listener?.protocol !== 'http' || path === undefined) return []
    return listeners.http(listener.name).origins.map((origin) => ({ label: id, url: origin + path }))
  }
  const ordinary = pipelines.filter(({ pattern }) => pattern === undefined).flatMap(({ nodes }) => nodes)
  const isMounted = ({ id, definition }: NodeSettings): boolean =>
    definition.kind === 'output' && !viewers.some(({ label }) => label === id)
  const outputs = ordinary.filter(isMounted).flatMap(mounted)
  const published = pipelines.flatMap((pipeline) => patternUrlsOf(pipeline, listeners))
  const offering = pipelines.flatMap(({ pattern, nodes }) =>
    nodes.map((node) => ({ ...node, isPattern: pattern !== undefined })),
  )
  const offered = offering.flatMap((node) => offeredUrls(node, listeners).map((url) => ({ label: node.id, url })))
  const named = offeringListeners(offering)
  const others = listeners.all().filter(({ name, protocol }) => protocol !== 'http' && !named.has(name))
  const taking = others.flatMap(({ name, origins }) => origins.map((url) => ({ label: listenerNodeId(name), url })))
  // Nodes start side by side, so listeners know their pages in any order.
  const places = new Map(ordinary.map(({ id }, place) => [id, place]))
  const placeOf = ({ label }: LabelledUrl): number => places.get(label) ?? places.size
  const pages = [...pagesOf(listeners)].sort((a, b) => placeOf(a) - placeOf(b))
  return [...pages, ...viewers, ...outputs, ...published, ...offered, ...taking, ...api, ...services.flatMap(mounted)]
}

function pagesOf(listeners: Pick<EngineListeners, 'all'>): readonly LabelledUrl[] {
  return listeners.all().flatMap((listener) => {
    if (!(listener instanceof HttpListener)) return []
    const pages = listener.listed().filter(({ kind, node }) => kind === 'page' && !node.includes('@'))
    return pages.flatMap(({ node, path }) =>
      listener.origins.map((origin) => ({ label: node, url: origin + encodeURI(path) })),
    )
  })
}

/** Where each stream of a pattern pipeline can be watched, with `${stream}` for its key. */
function patternUrlsOf({ pattern, nodes }: Pipeline, listeners: Pick<EngineListeners, 'http'>): readonly LabelledUrl[] {
  if (pattern === undefined) return []
  return nodes.flatMap((node) =>
    readResources(node).flatMap((resource) => {
      if (resource.kind !== 'http') return []
      // Of a folder, what is opened is the path in it.
      const path = resource.prefix === true ? (pathOf(node.options) ?? resource.path) : resource.path
      return listeners.http(resource.listener).origins.map((origin) => ({ label: node.id, url: origin + path }))
    }),
  )
}

function pathOf(options: unknown): string | undefined {
  const { path } = options as { readonly path?: unknown }
  return typeof path === 'string' ? path : undefined
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

/** `node`: of a listener by a plugin; `why`: if it accepts nothing. */
export function listenerStatus(
  { name, protocol, address, origins }: Pick<ListenerStatus, 'name' | 'protocol' | 'address' | 'origins'>,
  node: EngineNode | undefined,
  why: string | undefined,
): ListenerStatus {
  const problem = why === undefined ? {} : { why }
  return { name, protocol, address, origins, ...problem, ...(node === undefined ? {} : { node: node.status() }) }
}

/** Of everything, or of one pipeline; `isSummary`: copies of pattern pipelines as one row each. */
export function sampleOf(
  { services, pipelines }: Running,
  pipeline: string | undefined,
  isSummary: boolean,
): Omit<EngineSample, 'at' | 'process'> {
  const asked = pipelines.filter(({ name }) => isAskedFor(name, pipeline)).map((each) => samplePipeline(each))
  const shown = isSummary ? asked.filter(({ pattern }) => pattern === undefined) : asked
  const copies = isSummary ? summariseCopies(asked) : []
  const beside = pipeline === undefined ? services : []
  const nodes: readonly SampledOf[] = [...beside, ...shown.flatMap((each) => each.nodes)]
  return {
    clients: [...nodes, ...copies].reduce((sum, { clients = 0 }) => sum + clients, 0),
    nodes: nodes.map(nodeSample),
    edges: shown.flatMap(({ edges }) => edges),
    ...(isSummary ? { copies } : {}),
  }
}

/** As the events: a pattern pipeline with its copies. */
function isAskedFor(name: string, pipeline: string | undefined): boolean {
  return pipeline === undefined || name === pipeline || splitCopyName(name).pipeline === pipeline
}

type SampledOf = Pick<SampledNode, 'id' | 'state' | 'receivedBytes' | 'sentBytes' | 'bitsPerSecond' | 'clients'>

function nodeSample(status: SampledOf): EngineSample['nodes'][number] {
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
