// One pipeline: its nodes and edges. Readers start before the nodes they read; nodes stop in graph order. A reload
// replaces some nodes while the rest keep running.
import type { NodeStatus, PipelineStatus } from '../../observe/status.js'
import type { NodeSettings, Pipeline } from '../../graph/graph.js'
import { splitCopyName } from '../../graph/node-id.js'
import type { Clock } from '../../plugin/tokens.js'
import { InputRunner } from '../node/input-runner.js'
import type { NodePlacement } from '../node/node-runner.js'
import { OutputRunner } from '../node/output-runner.js'
import { startNode } from '../node/start-node.js'
import { TransformRunner } from '../node/transform-runner.js'
import { edgesOf } from './pipeline-sample.js'
import { addEdges, connectBackpressure, type PipelineNode, portOf, traceStreams } from './wiring.js'

export type { PipelineNode } from './wiring.js'

/** What a pipeline uses of the engine. */
export interface PipelineServices {
  readonly clock: Clock
  /** A node of this pipeline, not opened yet. */
  createNode(settings: NodeSettings, placement?: NodePlacement): PipelineNode
  /** The viewers of an output; empty for an output without a route. */
  viewersOf(id: string): Pick<NodeStatus, 'clients' | 'clientLimits' | 'urls' | 'aliases'>
  /** How many they are; undefined for an output without an audience. */
  clientsOf(id: string): number | undefined
  /** Where others reach the streams that a node offers on listeners of plugins. */
  offeredUrls(settings: NodeSettings): readonly string[]
}

export class PipelineRunner {
  readonly name: string
  readonly services: PipelineServices
  description: string
  #nodes: readonly PipelineNode[] = []
  /** Nodes that have left the graph but have not released everything yet. */
  readonly #leaving = new Set<PipelineNode>()

  constructor(pipeline: Pipeline, services: PipelineServices) {
    this.name = pipeline.name
    this.description = pipeline.description
    this.services = services
    const byId = new Map<string, PipelineNode>()
    for (const settings of pipeline.nodes) {
      const node = services.createNode(settings)
      byId.set(settings.id, node)
      if (node instanceof InputRunner) continue
      // Nodes are in graph order, so the node it reads already exists.
      addEdges(node, ({ node: id, port }) => portOf(byId.get(id), port))
      for (const edge of node.edges) edge.port?.connect(edge)
    }
    this.nodes = [...byId.values()]
  }

  /** In graph order: every node after those it reads. */
  get nodes(): readonly PipelineNode[] {
    return this.#nodes
  }

  set nodes(nodes: readonly PipelineNode[]) {
    this.#nodes = nodes
    traceStreams(nodes)
    connectBackpressure(nodes)
  }

  get inputs(): readonly InputRunner[] {
    return this.nodes.filter((node) => node instanceof InputRunner)
  }

  find(id: string): PipelineNode | undefined {
    return this.#nodes.find((node) => node.id === id)
  }

  /** Resolves when all nodes are open and inputs have been started. Rejects if the options of a node are wrong. */
  async start(): Promise<void> {
    const inputs = this.inputs
    await Promise.all(this.nodes.filter((node) => !(node instanceof InputRunner)).map(startNode))
    await Promise.all(inputs.map(startNode))
  }

  /** Ends the inputs; what they have received still flows through. */
  finish(): void {
    for (const input of this.inputs) input.finish()
  }

  /** Resolves when viewers have received everything that arrived before the inputs ended. Never rejects. */
  async drained(): Promise<void> {
    for (const node of this.nodes) if (node instanceof TransformRunner) node.drain()
    const outputs = this.nodes.filter((node) => node instanceof OutputRunner)
    await Promise.all(outputs.map((output) => output.drained()))
  }

  /** Stops every node, in graph order, all of them within `withinMs`. Never rejects. */
  async stop(reason: string, withinMs: number): Promise<void> {
    const { clock } = this.services
    const deadlineMs = clock.nowMs() + withinMs
    for (const node of [...this.nodes, ...this.#leaving]) {
      await this.stopNode(node, reason, Math.max(0, deadlineMs - clock.nowMs()))
    }
  }

  /** Stops a node that no other node reads any more, and disconnects it from the ports it read. Never rejects. */
  async stopNode(node: PipelineNode, reason: string, withinMs: number): Promise<void> {
    this.#leaving.add(node)
    node.endpoints.retain(false)
    const edges = node instanceof InputRunner ? [] : node.edges
    for (const edge of edges) edge.port?.disconnect(edge)
    await node.stop(reason, withinMs)
    for (const edge of edges) edge.close()
    this.#leaving.delete(node)
  }

  /** Called once a second. */
  sample(): void {
    for (const node of this.#nodes) {
      if (node instanceof InputRunner) node.sample()
      else for (const edge of node.edges) edge.rate.sample(edge.counters.receivedBytes)
    }
  }

  status(): PipelineStatus {
    const { name, description, nodes } = this
    const { pipeline: pattern, stream } = splitCopyName(name)
    return {
      name,
      description,
      ...(stream === undefined ? {} : { pattern, stream }),
      nodes: nodes.map((node) => this.#nodeStatus(node)),
      edges: edgesOf(nodes),
    }
  }

  #nodeStatus(node: PipelineNode): ReturnType<PipelineNode['status']> {
    const status = node.status()
    if (!(node instanceof InputRunner) && !(node instanceof OutputRunner)) return status
    const urls = [...node.endpoints.urls, ...this.services.offeredUrls(node.settings)]
    const shown = urls.length === 0 ? {} : { urls }
    if (node instanceof InputRunner) {
      const recorder = node.port.recorder?.status()
      return {
        ...{ ...status, bitsPerSecond: node.bitsPerSecond, ...shown },
        ...(recorder === undefined ? {} : { recorder }),
      }
    }
    return { ...status, ...shown, ...this.services.viewersOf(node.id) }
  }
}
