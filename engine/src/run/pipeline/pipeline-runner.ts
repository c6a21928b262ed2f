// One pipeline: its nodes and edges, started with readers before what they read, and stopped in graph order. A reload
// puts other nodes in place of some while the rest goes on.
import type { PipelineStatus } from '../../observe/status.js'
import type { EngineContainer } from '../node/container.js'
import type { Pipeline } from '../../graph/graph.js'
import { InputRunner } from '../node/input-runner.js'
import type { RunServices } from '../node/run-services.js'
import { OutputRunner } from '../node/output-runner.js'
import { TransformRunner } from '../node/transform-runner.js'
import { addEdges, applyPressure, createNode, type PipelineNode, portOf, traceStreams } from './wiring.js'

export type { PipelineNode } from './wiring.js'

export class PipelineRunner {
  readonly name: string
  readonly services: RunServices
  readonly container: EngineContainer
  description: string
  #nodes: readonly PipelineNode[] = []
  /** Nodes that are no longer part of the graph, until they have let go of everything. */
  readonly #leaving = new Set<PipelineNode>()

  constructor(pipeline: Pipeline, services: RunServices, container: EngineContainer) {
    this.name = pipeline.name
    this.description = pipeline.description
    this.services = services
    this.container = container.child()
    const byId = new Map<string, PipelineNode>()
    for (const settings of pipeline.nodes) {
      const node = createNode(settings, services, this.container)
      byId.set(settings.id, node)
      if (node instanceof InputRunner) continue
      // Nodes come in graph order, so the one that is read exists.
      addEdges(node, services, ({ node: id, port }) => portOf(byId.get(id), port))
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
    applyPressure(nodes)
  }

  get inputs(): readonly InputRunner[] {
    return this.nodes.filter((node) => node instanceof InputRunner)
  }

  find(id: string): PipelineNode | undefined {
    return this.#nodes.find((node) => node.id === id)
  }

  /** Resolves when all nodes are open, and inputs have been asked to begin. Rejects if one can't ever open. */
  async start(): Promise<void> {
    const inputs = this.inputs
    await Promise.all(this.nodes.filter((node) => !(node instanceof InputRunner)).map((node) => node.start()))
    await Promise.all(inputs.map((input) => input.start()))
  }

  /** Inputs stop, and what they have received flows on. */
  finish(): void {
    for (const input of this.inputs) input.finish()
  }

  /** Resolves when viewers have got everything that came before the inputs ended. Never rejects. */
  async drained(): Promise<void> {
    for (const node of this.nodes) if (node instanceof TransformRunner) node.drain()
    const outputs = this.nodes.filter((node) => node instanceof OutputRunner)
    await Promise.all(outputs.map((output) => output.drained()))
  }

  /** Lets go of every node, in graph order, and of all of them within `withinMs`. Never rejects. */
  async stop(reason: string, withinMs: number): Promise<void> {
    const { clock } = this.services
    const deadlineMs = clock.nowMs() + withinMs
    for (const node of [...this.nodes, ...this.#leaving]) {
      await this.dismiss(node, reason, Math.max(0, deadlineMs - clock.nowMs()))
    }
  }

  /** Stops a node, which nobody reads any more, and disconnects it from what it read. Never rejects. */
  async dismiss(node: PipelineNode, reason: string, withinMs: number): Promise<void> {
    this.#leaving.add(node)
    node.endpoints?.retain(false)
    const edges = node instanceof InputRunner ? [] : node.edges
    for (const edge of edges) edge.port?.disconnect(edge)
    await node.stop(reason, withinMs)
    for (const edge of edges) edge.close()
    this.#leaving.delete(node)
  }

  status(): PipelineStatus {
    return { name: this.name, description: this.description, nodes: this.nodes.map((node) => this.#nodeStatus(node)) }
  }

  #nodeStatus(node: PipelineNode): ReturnType<PipelineNode['status']> {
    const status = node.status()
    if (node instanceof InputRunner) return { ...status, bitsPerSecond: node.bitsPerSecond }
    return node instanceof OutputRunner ? { ...status, ...this.services.viewersOf(node.id) } : status
  }
}
