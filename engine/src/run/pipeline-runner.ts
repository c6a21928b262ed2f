// Builds the nodes and edges of one pipeline, starts readers before what they read, and stops in graph order.
import type { EngineContainer } from '../container.js'
import type { Pipeline, PortRef } from '../graph/graph.js'
import type { PipelineStatus } from '../api/types.js'
import { Edge } from './edge.js'
import { InputRunner } from './input-runner.js'
import type { Port } from './port.js'
import type { RunServices } from './run-services.js'
import { SinkRunner } from './sink-runner.js'
import { StageRunner } from './stage-runner.js'

export type PipelineNode = InputRunner | StageRunner | SinkRunner

export class PipelineRunner {
  readonly name: string
  /** In graph order: every node after those it reads. */
  readonly nodes: readonly PipelineNode[]
  readonly #description: string
  readonly #services: RunServices
  readonly #byId = new Map<string, PipelineNode>()
  /** The inputs behind each node. */
  readonly #roots = new Map<string, readonly InputRunner[]>()

  constructor(pipeline: Pipeline, services: RunServices, container: EngineContainer) {
    this.name = pipeline.name
    this.#description = pipeline.description
    this.#services = services
    const own = container.child()
    this.nodes = pipeline.nodes.map((settings) => {
      const node = createNode(settings.definition.kind, [settings, services, own])
      this.#byId.set(settings.id, node)
      this.#connect(node)
      return node
    })
  }

  get inputs(): readonly InputRunner[] {
    return this.nodes.filter((node) => node instanceof InputRunner)
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
    for (const node of this.nodes) if (node instanceof StageRunner) node.drain()
    const sinks = this.nodes.filter((node) => node instanceof SinkRunner)
    await Promise.all(sinks.map((sink) => sink.drained()))
  }

  /** Lets go of every node, in graph order, and of all of them within `withinMs`. Never rejects. */
  async stop(reason: string, withinMs: number): Promise<void> {
    const { clock } = this.#services
    const deadlineMs = clock.nowMs() + withinMs
    for (const node of this.nodes) {
      await node.stop(reason, Math.max(0, deadlineMs - clock.nowMs()))
      if (!(node instanceof InputRunner)) for (const edge of node.edges) edge.close()
    }
  }

  status(): PipelineStatus {
    return { name: this.name, description: this.#description, nodes: this.nodes.map((node) => this.#nodeStatus(node)) }
  }

  #nodeStatus(node: PipelineNode): ReturnType<PipelineNode['status']> {
    const status = node.status()
    if (node instanceof InputRunner) return { ...status, bitsPerSecond: node.bitsPerSecond }
    return node instanceof SinkRunner ? { ...status, ...this.#services.viewersOf(node.id) } : status
  }

  #connect(node: PipelineNode): void {
    if (node instanceof InputRunner) {
      this.#roots.set(node.id, [node])
      return
    }
    const roots = new Set<InputRunner>()
    for (const ref of node.settings.from) {
      const behind = this.#roots.get(ref.node) ?? []
      for (const root of behind) roots.add(root)
      const edge = new Edge({
        id: `${ref.node}.${ref.port}`,
        isPausable: () => behind.every((root) => root.isPausable),
        onPressure: (isHeld) => behind.forEach((root) => root.press(isHeld)),
        enter: (run) => this.#services.scope.enter((error) => node.fail(error), run),
      })
      node.edges.push(edge)
      this.#portOf(ref).connect(edge)
    }
    this.#roots.set(node.id, [...roots])
  }

  /** Nodes come in graph order, so the one that is read exists. */
  #portOf({ node: id, port }: PortRef): Port {
    const node = this.#byId.get(id)
    if (node instanceof InputRunner) return node.port
    if (node instanceof StageRunner) return node.port(port)
    throw new TypeError(`${id} has no ports`)
  }
}

function createNode(kind: string, of: ConstructorParameters<typeof InputRunner>): PipelineNode {
  if (kind === 'input') return new InputRunner(...of)
  return kind === 'transform' ? new StageRunner(...of) : new SinkRunner(...of)
}
