// The nodes of the running graph: found by id, and counted as their states change, so that a change of one node costs the
// same however many there are.
import { type Observable, Subject, type Subscription } from 'rxjs'
import type { NodeKind } from '../plugin/node-kinds.js'
import type { NodeState } from '../observe/status.js'
import type { ServiceRunner } from './node/service-runner.js'
import type { PipelineNode } from './pipeline/pipeline-runner.js'

export type EngineNode = ServiceRunner | PipelineNode

/** An idle node waits by design, and one that has ended has done its work. */
const COUNTS_AS_READY: ReadonlySet<NodeState> = new Set(['ready', 'idle', 'ended'])

export class RunningNodes {
  /** Each node of the graph whose state has changed, and each node that joins the graph. Called within the change. */
  readonly states$: Observable<EngineNode>
  readonly #states = new Subject<EngineNode>()
  readonly #subscriptions = new Map<EngineNode, Subscription>()
  #byId: ReadonlyMap<string, EngineNode> = new Map()
  #inOrder: readonly EngineNode[] = []
  readonly #notReady = new Set<EngineNode>()
  readonly #activeInputs = new Set<EngineNode>()
  readonly #failedInputs = new Set<EngineNode>()
  #inputs = 0

  constructor() {
    this.states$ = this.#states.asObservable()
  }

  /** In the order of the graph. */
  get all(): readonly EngineNode[] {
    return this.#inOrder
  }

  get(id: string): EngineNode | undefined {
    return this.#byId.get(id)
  }

  has(node: unknown): node is EngineNode {
    return this.#subscriptions.has(node as EngineNode)
  }

  kindOf(id: string): NodeKind | undefined {
    return this.#byId.get(id)?.settings.definition.kind
  }

  /** Nodes that keep the engine from being ready, in the order of the graph. */
  notReady(): readonly EngineNode[] {
    return this.#notReady.size === 0 ? [] : this.#inOrder.filter((node) => this.#notReady.has(node))
  }

  /** All inputs have ended or failed for good; false if there is none. */
  get haveInputsEnded(): boolean {
    return this.#inputs > 0 && this.#activeInputs.size === 0
  }

  get failedInput(): EngineNode | undefined {
    const [first] = this.#failedInputs
    return first
  }

  /** Called when nodes have been added, removed, replaced or renamed. */
  update(nodes: readonly EngineNode[]): void {
    const present = new Set(nodes)
    for (const [node, subscription] of this.#subscriptions) {
      if (present.has(node)) continue
      subscription.unsubscribe()
      this.#subscriptions.delete(node)
      for (const set of [this.#notReady, this.#activeInputs, this.#failedInputs]) set.delete(node)
    }
    this.#inOrder = nodes
    this.#byId = new Map(nodes.map((node) => [node.id, node]))
    this.#inputs = nodes.filter(isInput).length
    for (const node of nodes) {
      if (this.#subscriptions.has(node)) continue
      this.#subscriptions.set(
        node,
        node.state$.subscribe(() => this.#note(node)),
      )
    }
  }

  #note(node: EngineNode): void {
    const { state } = node
    setMember(this.#notReady, node, !COUNTS_AS_READY.has(state))
    if (isInput(node)) {
      setMember(this.#activeInputs, node, state !== 'ended' && state !== 'failed')
      setMember(this.#failedInputs, node, state === 'failed')
    }
    this.#states.next(node)
  }
}

function isInput({ settings }: EngineNode): boolean {
  return settings.definition.kind === 'input'
}

function setMember<T>(set: Set<T>, member: T, isMember: boolean): void {
  if (isMember) set.add(member)
  else set.delete(member)
}
