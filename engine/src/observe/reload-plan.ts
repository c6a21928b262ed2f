// What a reload would do, as plain data: made from two checked graphs before anything happens, printed by
// `engine reload --plan`, carried out by the runner.
import type { ReloadClass } from '../plugin/contract.js'

/**
 * `keep`: nothing happens. `live`: the node takes the new options. `rebind`: it does, and moves to another listener or
 * path; its viewers stay. `swap`: a new node takes its place at a key frame; viewers stay. `source`: the new upstream is
 * connected first, then takes over at its key frame. `handoff`: the old node lets go before the new one opens, with a
 * gap. `refuse`: needs a restart; the whole reload is refused.
 */
export type PlanVerb = 'keep' | 'live' | 'swap' | 'source' | 'handoff' | 'rebind' | 'add' | 'remove' | 'refuse'

/** One option that differs. */
export interface OptionChange {
  /**
   * `clients.max`; beside options also `was`, `type`, `from`, `description`, `timeline`, `batch`, `options` where they
   * are not known, and `7 more` where a node has more than 100 changes.
   */
  readonly path: string
  readonly reload: ReloadClass
  /** As the YAML would say it, secrets masked; undefined where it has no value. Both are the same where only a secret differs. */
  readonly before?: string | undefined
  readonly after?: string | undefined
}

export interface NodeChange {
  /** `pipeline/node`, or `services/name`; what it will be called, of a removed node what it is called. */
  readonly id: string
  /** What it is called now, where `was:` renames it. */
  readonly was?: string
  readonly verb: PlanVerb
  readonly changes: readonly OptionChange[]
  /** Of `handoff`, ids of the running nodes that must let go first: itself, others, or both. A new node can be handed things too. */
  readonly holders?: readonly string[]
  /** One sentence for people: what that costs, or why it is refused. Empty for `keep`. */
  readonly why: string
}

/** A listener, an option of `engine:`, a provider of access, a secret, a pipeline's own text, a plugin's code. */
export interface PartChange {
  /** `listeners/web`, `engine/log.level`, `auth/viewers`, `secrets/anna`, `pipelines/one`, `plugins/NAME`. */
  readonly id: string
  readonly verb: 'live' | 'rebind' | 'add' | 'remove' | 'refuse'
  readonly changes: readonly OptionChange[]
  readonly why: string
}

export interface ReloadPlan {
  /**
   * Services, then pipelines in the order of the new graph, each in graph order; removed nodes last. An id stands here
   * twice where a node goes and another of the same id comes: of another kind, or in place of one that was renamed.
   */
  readonly nodes: readonly NodeChange[]
  /** Only those that change. */
  readonly parts: readonly PartChange[]
  /** Nothing differs: only comments, order or formatting do. */
  readonly isEmpty: boolean
  /** A restart is needed: sentences that name the keys. Empty where the plan can be carried out. */
  readonly refusals: readonly string[]
}
