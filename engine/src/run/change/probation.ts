// Nodes that a reload has changed or added are on probation for a while: one that fails for good is rolled back, once.
// An added node is removed again.
import { ResourceHolders } from '../../config/section/resource-holders.js'
import { readResources } from '../../config/section/resources.js'
import type { Graph, NodeSettings } from '../../graph/graph.js'
import { MAIN_PORT } from '../../graph/node-id.js'
import { PROBATION_MS } from '../../reload/config-sync-state.js'
import type { NodeEndpoints } from '../node/node-endpoints.js'
import type { Clock } from '../../plugin/tokens.js'

interface NodeOnProbation {
  readonly settings: NodeSettings
  readonly calls: { isOnProbation: boolean }
  readonly endpoints: Pick<NodeEndpoints, 'retain'>
}

interface NodeProbation {
  /** The running settings; each reload creates a new object. */
  readonly settings: NodeSettings
  readonly before: RollbackTarget
  /** Ends the probation. */
  readonly timer: Disposable
}

/** What a node rolls back to: its old settings (undefined for an added node) and the graph before the reload. */
export interface RollbackTarget {
  readonly settings: NodeSettings | undefined
  readonly graph: Graph
}

export class Probation {
  readonly #clock: Clock
  readonly #nodes = new Map<string, NodeProbation>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The node runs with new settings from now on. If it fails, viewers that it had before stay connected. */
  begin(node: NodeOnProbation, before: RollbackTarget): void {
    const { id } = node.settings
    this.#nodes.get(id)?.timer[Symbol.dispose]()
    const timer = this.#clock.after(PROBATION_MS, () => {
      if (this.#nodes.get(id)?.timer === timer) this.#nodes.delete(id)
      node.calls.isOnProbation = false
      node.endpoints.retain(false)
    })
    this.#nodes.set(id, { settings: node.settings, before, timer })
    node.calls.isOnProbation = true
    if (before.settings !== undefined) node.endpoints.retain(true)
  }

  /** Another reload has kept the node: its probation continues with the new settings object. */
  updateSettings(before: NodeSettings, settings: NodeSettings): void {
    const current = this.#nodes.get(before.id)
    if (current?.settings === before) this.#nodes.set(before.id, { ...current, settings })
  }

  /** Ends the probation of the node with these settings; undefined if it is not on probation. */
  end(settings: NodeSettings): RollbackTarget | undefined {
    const current = this.#nodes.get(settings.id)
    if (current?.settings !== settings) return undefined
    this.#nodes.delete(settings.id)
    current.timer[Symbol.dispose]()
    return current.before
  }
}

/** The graph with one node as it was before, or without it. Undefined if the other nodes no longer fit. */
export function withNodeBefore(graph: Graph, id: string, before: NodeSettings | undefined): Graph | undefined {
  if (before === undefined) return withoutNode(graph, id)
  const ids = new Set(graph.pipelines.flatMap(({ nodes }) => nodes.map((node) => node.id)))
  const put = (node: NodeSettings): NodeSettings => (node.id === id ? restored(node, before, ids) : node)
  const pipelines = graph.pipelines.map((pipeline) => ({ ...pipeline, nodes: pipeline.nodes.map(put) }))
  const next = { ...graph, services: graph.services.map(put), pipelines }
  return fits(next, id) && hasItsResources(next, id) ? next : undefined
}

/** Undefined if another node reads it. */
function withoutNode(graph: Graph, id: string): Graph | undefined {
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

function fits({ pipelines, listeners }: Graph, id: string): boolean {
  const nodes = pipelines.find((pipeline) => pipeline.nodes.some((node) => node.id === id))?.nodes ?? []
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const isRead = (node: NodeSettings): boolean =>
    node.from.every((ref, index) => {
      const source = byId.get(ref.node)
      if (source === undefined || nodes.indexOf(source) >= nodes.indexOf(node)) return false
      const { definition } = source
      const ports = definition.kind === 'transform' ? definition.ports : [MAIN_PORT]
      const produced = 'produces' in definition && definition.produces !== 'bytes' ? definition.produces : 'ts'
      const consumed = 'consumes' in node.definition ? node.definition.consumes : []
      return index < node.from.length && ports.includes(ref.port) && consumed.includes(produced)
    })
  const names = listeners.map(({ name }) => name)
  const all = [...byId.values()]
  const hasListener = ({ options }: NodeSettings): boolean => {
    const { listener } = (options ?? {}) as { readonly listener?: unknown }
    return typeof listener !== 'string' || names.includes(listener)
  }
  return all.every((node) => isRead(node) && hasListener(node))
}

/** No other node of the graph holds what this one needs. */
function hasItsResources({ services, pipelines }: Graph, id: string): boolean {
  const holders = new ResourceHolders<string>()
  const nodes = [...services, ...pipelines.flatMap((pipeline) => pipeline.nodes)]
  const needed = nodes.flatMap((node) => (node.id === id ? readResources(node) : []))
  for (const node of nodes) if (node.id !== id) for (const held of readResources(node)) holders.add(held, node.id)
  return needed.every((resource) => holders.of(resource).length === 0)
}
