// Nodes that a reload has changed or added are on probation for a while: one that fails for good is rolled back, once.
// An added node is removed again.
import type { Graph, NodeSettings } from '../graph/graph.js'
import type { Clock } from '../plugin/tokens.js'
import { PROBATION_MS } from './config-sync-state.js'

export interface NodeOnProbation {
  readonly settings: NodeSettings
  readonly calls: { isOnProbation: boolean }
  /** While it retains, viewers of a node that fails stay connected for the node that replaces it. */
  readonly endpoints: { retain(isRetaining: boolean): void }
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

  /** What the node with these settings rolls back to; undefined if it is not on probation. */
  of(settings: NodeSettings): RollbackTarget | undefined {
    const current = this.#nodes.get(settings.id)
    return current?.settings === settings ? current.before : undefined
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
