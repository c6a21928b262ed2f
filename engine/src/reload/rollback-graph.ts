// The graph to go back to when a node that a reload has changed or added fails: the running one with that node as it was,
// or the whole graph from before the reload if the node no longer fits.
import { ResourceHolders } from '../config/section/resource-holders.js'
import { readResources } from '../config/section/resources.js'
import type { Graph, NodeSettings } from '../graph/graph.js'
import { chunksOf } from '../plugin/ports.js'
import { LISTENERS } from '../graph/node-id.js'
import { namedListeners } from '../plugin/named-listeners.js'
import type { RollbackTarget } from './node-probation.js'

export const WHOLE_ROLLBACK = ' (the whole previous configuration is running again)'

export interface Rollback {
  readonly graph: Graph
  /** Other nodes go back too. */
  readonly isWhole: boolean
  /** What it means for the configuration, to be added to the reason. */
  readonly consequence: string
}

export function rollbackOf(running: Graph, id: string, { settings, graph }: RollbackTarget): Rollback {
  const alone = withNodeBefore(running, id, settings)
  if (alone === undefined) return { graph, isWhole: true, consequence: WHOLE_ROLLBACK }
  const consequence = settings === undefined ? ' (an added node: it has been removed again)' : ''
  return { graph: alone, isWhole: false, consequence }
}

/** The graph with one node as it was before, or without it. Undefined if the other nodes no longer fit. */
function withNodeBefore(graph: Graph, id: string, before: NodeSettings | undefined): Graph | undefined {
  if (before === undefined) return withoutNode(graph, id)
  const ids = new Set(graph.pipelines.flatMap(({ nodes }) => nodes.map((node) => node.id)))
  const put = (node: NodeSettings): NodeSettings => (node.id === id ? restored(node, before, ids) : node)
  const pipelines = graph.pipelines.map((pipeline) => ({ ...pipeline, nodes: pipeline.nodes.map(put) }))
  const next = { ...graph, services: graph.services.map(put), pipelines }
  return fits(next, id) && hasItsResources(next, id) ? next : undefined
}

/** Undefined if another node reads it. */
function withoutNode(graph: Graph, id: string): Graph | undefined {
  // Its socket would stay, and other nodes may name it.
  if (id.startsWith(`${LISTENERS}/`)) return undefined
  if (graph.pipelines.some(({ nodes }) => nodes.some(({ from }) => from.some(({ node }) => node === id))))
    return undefined
  const isOther = (node: NodeSettings): boolean => node.id !== id
  const pipelines = graph.pipelines.map((pipeline) => ({ ...pipeline, nodes: pipeline.nodes.filter(isOther) }))
  return {
    ...graph,
    services: graph.services.filter(isOther),
    pipelines: pipelines.filter(({ nodes }) => nodes.length > 0),
  }
}

/** It reads the nodes it read before if they still exist under their names; otherwise the nodes it reads now. */
function restored(node: NodeSettings, before: NodeSettings, ids: ReadonlySet<string>): NodeSettings {
  const { was: _was, ...settings } = before
  const isThere = before.from.every((ref) => ids.has(ref.node))
  return { ...settings, id: node.id, from: isThere ? before.from : node.from }
}

function fits({ pipelines, services, listeners }: Graph, id: string): boolean {
  const nodes = pipelines.find((pipeline) => pipeline.nodes.some((node) => node.id === id))?.nodes ?? []
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const isRead = (node: NodeSettings): boolean =>
    node.from.every((ref, index) => {
      const source = byId.get(ref.node)
      if (source === undefined || nodes.indexOf(source) >= nodes.indexOf(node)) return false
      const port = source.ports.find(({ name }) => name === ref.port)
      const consumed = 'consumes' in node.definition ? node.definition.consumes : []
      return index < node.from.length && port !== undefined && consumed.includes(chunksOf(port))
    })
  const protocols = new Map(listeners.map(({ name, protocol }) => [name, protocol]))
  const hasListeners = ({ definition, options }: NodeSettings): boolean =>
    namedListeners(definition, options).every(({ name, protocol }) => protocols.get(name) === protocol)
  const all = [...byId.values()]
  return all.every((node) => isRead(node) && hasListeners(node)) && services.every(hasListeners)
}

/** No other node of the graph holds what this one needs. */
function hasItsResources({ services, pipelines }: Graph, id: string): boolean {
  const holders = new ResourceHolders<string>()
  const nodes = [...services, ...pipelines.flatMap((pipeline) => pipeline.nodes)]
  const needed = nodes.flatMap((node) => (node.id === id ? readResources(node) : []))
  for (const node of nodes) if (node.id !== id) for (const held of readResources(node)) holders.add(held, node.id)
  return needed.every((resource) => holders.of(resource).length === 0)
}
