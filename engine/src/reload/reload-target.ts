// What runs, as a reload sees it: implemented by the engine, replaced in tests.
import type { Graph } from '../graph/graph.js'
import type { ReloadPlan } from '../observe/reload-plan.js'
import type { EdgeCut } from '../observe/reload-report.js'

export interface AppliedReload {
  readonly viewersBefore: number
  /** Of those before, the viewers whose session did not outlive the commit by the doing of the reload. */
  readonly viewersLost: number
  readonly cuts: readonly EdgeCut[]
}

/** A node that was changed has failed within its probation, and what ran before runs again. */
export interface RolledBack {
  readonly node: string
  readonly why: string
}

export interface ReloadTarget {
  /** What runs: the graph that was applied last, with what was rolled back since. */
  readonly graph: Graph
  /** Viewers of an output now. */
  viewersOf(node: string): number
  /**
   * Prepares and commits. Resolves when every edge has been cut over; old nodes may still be draining. Rejects with an
   * EngineError if preparing failed: then nothing has happened. Not called while a call is under way.
   */
  apply(plan: ReloadPlan, next: Graph): Promise<AppliedReload>
  /** Called when probation brings a node back to its old definition; `graph` has changed before. */
  onRolledBack: ((what: RolledBack) => void) | undefined
}
