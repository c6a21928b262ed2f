// The running engine as a reload sees it: implemented by the engine, replaced in tests.
import type { Graph } from '../graph/graph.js'
import type { ReloadPlan } from '../observe/reload-plan.js'
import type { EdgeCut } from '../observe/reload-report.js'

export interface AppliedReload {
  readonly viewersBefore: number
  /** Of those before, the viewers whose session the reload had ended by the end of the commit. */
  readonly viewersLost: number
  readonly cuts: readonly EdgeCut[]
}

/** A changed node failed within its probation, and its old definition runs again. */
export interface RolledBack {
  readonly node: string
  readonly why: string
}

export interface ReloadTarget {
  /** The running graph: the one applied last, including later rollbacks. */
  readonly graph: Graph
  /** Current viewers of an output; in a pattern pipeline, those of all copies. */
  viewersOf(node: string): number
  /** Of these, the viewers of copies that end with `next`, because it does not take their streams. */
  endingOf(node: string, next: Graph): number
  /**
   * Opens the standby nodes and commits. Resolves when every edge has been cut over; old nodes may still be draining.
   * Rejects with an EngineError if something could not be opened: then nothing has changed. Called one at a time.
   * `isForced`: new nodes take over even if they are not ready.
   */
  apply(plan: ReloadPlan, next: Graph, isForced?: boolean): Promise<AppliedReload>
  /** Called when probation rolls a node back to its old definition, after `graph` has changed. */
  onRolledBack: ((what: RolledBack) => void) | undefined
}
