// The probation of pattern pipelines. A reload changes their nodes in the graph, but it is the copies that run them and can
// fail, and those follow the reload later.
import type { Graph, NodeSettings } from '../../graph/graph.js'
import { nodeName, splitCopyName } from '../../graph/node-id.js'
import type { NodeOnProbation, Probation, RollbackTarget } from '../../reload/node-probation.js'
import type { AnyNodeRunner } from '../node/node-runner.js'
import type { PipelineRunner } from '../pipeline/pipeline-runner.js'
import type { Running } from './reload-transaction.js'

export class CopyProbation {
  readonly #running: Running
  readonly #probation: Pick<Probation, 'of'>
  /** The probation of these has ended with a failure; the configuration is about to go back. */
  readonly #failed = new Map<NodeSettings, RollbackTarget>()

  constructor(running: Running, probation: Pick<Probation, 'of'>) {
    this.#running = running
    this.#probation = probation
  }

  /** Nodes that run only in copies, and are on probation; by id. */
  nodesIn({ pipelines }: Graph): readonly (readonly [string, NodeOnProbation])[] {
    const nodes = pipelines.flatMap(({ pattern, nodes: all }) => (pattern === undefined ? [] : all))
    return nodes.map((settings) => [settings.id, this.#standInOf(settings)])
  }

  /** A copy has other nodes, or a newer specification. `isToFollow`: a change has been committed that it has yet to follow. */
  note(runner: PipelineRunner, isToFollow: boolean): void {
    for (const node of runner.nodes) {
      const specified = specificationOf(node.settings, this.#running.graph)
      const before = this.#probation.of(specified) ?? this.#failed.get(specified)
      node.calls.isOnProbation = before !== undefined
      node.endpoints.retain(isToFollow || before?.settings !== undefined)
    }
  }

  /** Until `settle`, the viewers of further copies that fail stay, too. */
  noteFailure(specified: NodeSettings, before: RollbackTarget): void {
    this.#failed.set(specified, before)
  }

  /** The configuration is about to go back because of this node. */
  hasFailed(specified: NodeSettings): boolean {
    return this.#failed.has(specified)
  }

  /** The configuration has gone back, and the copies follow with their viewers; or it could not. */
  settle(specified: NodeSettings, isBack: boolean): void {
    this.#failed.delete(specified)
    if (!isBack) this.#forEach(specified.id, ({ endpoints }) => endpoints.retain(false))
  }

  #standInOf(settings: NodeSettings): NodeOnProbation {
    const forEach = (use: (node: AnyNodeRunner) => void): void => this.#forEach(settings.id, use)
    return {
      settings,
      calls: {
        set isOnProbation(isOn: boolean) {
          forEach((node) => (node.calls.isOnProbation = isOn))
        },
      },
      endpoints: { retain: (isRetaining) => forEach(({ endpoints }) => endpoints.retain(isRetaining)) },
    }
  }

  /** The nodes of all copies. `id`: in the graph. */
  #forEach(id: string, use: (node: AnyNodeRunner) => void): void {
    const [name] = id.split('/', 1)
    for (const { name: copy, nodes } of this.#running.pipelines) {
      const { pipeline, stream } = splitCopyName(copy)
      if (stream === undefined || pipeline !== name) continue
      for (const node of nodes) if (`${name}/${nodeName(node.id)}` === id) use(node)
    }
  }
}

/** Of a node in a copy, what the pattern pipeline says about it; else the settings themselves. */
export function specificationOf(settings: NodeSettings, { pipelines }: Graph): NodeSettings {
  const { pipeline, stream } = splitCopyName(settings.id)
  if (stream === undefined) return settings
  const id = `${pipeline}/${nodeName(settings.id)}`
  const nodes = pipelines.find(({ name }) => name === pipeline)?.nodes
  return nodes?.find((node) => node.id === id) ?? settings
}
