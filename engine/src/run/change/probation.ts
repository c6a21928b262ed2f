// Nodes that a reload has changed are watched for a while: one that fails for good goes back to what it was, once.
import type { Graph, NodeSettings } from '../../graph/graph.js'
import { PROBATION_MS } from '../../reload/config-sync-state.js'
import type { NodeEndpoints } from '../node/node-endpoints.js'
import type { Clock } from '../../plugin/tokens.js'

interface TriedNode {
  readonly settings: NodeSettings
  readonly endpoints: NodeEndpoints | undefined
}

interface Trial {
  /** As it runs; another reload makes another object. */
  readonly settings: NodeSettings
  readonly before: Former
  /** Ends it. */
  readonly timer: Disposable
}

/** What a node was, and the graph in which it was that. */
export interface Former {
  readonly settings: NodeSettings
  readonly graph: Graph
}

export class Probation {
  readonly #clock: Clock
  readonly #trials = new Map<string, Trial>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The node runs with other settings from now on. Its viewers would outlive its failure. */
  begin(node: TriedNode, before: Former): void {
    const { id } = node.settings
    this.#trials.get(id)?.timer[Symbol.dispose]()
    const timer = this.#clock.after(PROBATION_MS, () => {
      if (this.#trials.get(id)?.timer === timer) this.#trials.delete(id)
      node.endpoints?.retain(false)
    })
    this.#trials.set(id, { settings: node.settings, before, timer })
    node.endpoints?.retain(true)
  }

  /** Another reload has left the node as it is. */
  carryOn(before: NodeSettings, settings: NodeSettings): void {
    const trial = this.#trials.get(before.id)
    if (trial?.settings === before) this.#trials.set(before.id, { ...trial, settings })
  }

  /** What the node of these settings was, if it is on probation; it is so no longer. */
  end(settings: NodeSettings): Former | undefined {
    const trial = this.#trials.get(settings.id)
    if (trial?.settings !== settings) return undefined
    this.#trials.delete(settings.id)
    trial.timer[Symbol.dispose]()
    return trial.before
  }
}

/** The graph with one node as it was. Undefined where that node does not fit into it any more. */
export function withNodeBefore(graph: Graph, id: string, before: NodeSettings): Graph | undefined {
  const ids = new Set(graph.pipelines.flatMap(({ nodes }) => nodes.map((node) => node.id)))
  const put = (node: NodeSettings): NodeSettings => (node.id === id ? restored(node, before, ids) : node)
  const pipelines = graph.pipelines.map((pipeline) => ({ ...pipeline, nodes: pipeline.nodes.map(put) }))
  const next = { ...graph, services: graph.services.map(put), pipelines }
  return fits(next, id) ? next : undefined
}

/** It reads what it read, where that is still there under its name; else what it reads now. */
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
      const ports = definition.kind === 'transform' ? definition.ports : ['out']
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
