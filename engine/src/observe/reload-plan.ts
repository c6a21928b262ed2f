// What a reload would do, as plain data: made from two checked graphs before anything happens, printed by
// `engine reload --plan`, carried out by the runner.
import type { ReloadClass } from '../plugin/contract.js'

/**
 * `keep`: nothing happens. `live`: the node takes the new options. `rebind`: it also moves to another listener or path;
 * its viewers stay. `swap`: a new node takes its place at a key frame; viewers stay. `source`: the new upstream is
 * connected first, then takes over at its key frame. `handoff`: the old node releases its endpoints before the new one
 * opens, with a gap. `refuse`: needs a restart; the whole reload is refused.
 */
export type PlanVerb = 'keep' | 'live' | 'swap' | 'source' | 'handoff' | 'rebind' | 'add' | 'remove' | 'refuse'

/** One option that differs. */
export interface OptionChange {
  /**
   * `clients.max`; in addition to options also `was`, `type`, `from`, `description`, `timeline`, `batch`, `options` if
   * they are unknown, and `7 more` if a node has more than 100 changes.
   */
  readonly path: string
  readonly reload: ReloadClass
  /** As written in YAML, secrets masked; undefined if it has no value. Both are the same if only a secret differs. */
  readonly before?: string | undefined
  readonly after?: string | undefined
}

export interface NodeChange {
  /** `pipeline/node`, or `services/name`: the id after the reload, or the last one of a removed node. */
  readonly id: string
  /** Its current id, if `was:` renames it. */
  readonly was?: string
  readonly verb: PlanVerb
  readonly changes: readonly OptionChange[]
  /**
   * For `handoff`, ids of the running nodes that must release their endpoints first: itself, others, or both. A new
   * node can take over endpoints too.
   */
  readonly holders?: readonly string[]
  /** One sentence for people: what the change costs, or why it is refused. Empty for `keep`. */
  readonly why: string
}

/**
 * A listener, an option of `engine:`, an auth provider, a secret, the description of a pipeline, the code of a plugin.
 */
export interface PartChange {
  /** `listeners/web`, `engine/log.level`, `auth/viewers`, `secrets/anna`, `pipelines/one`, `plugins/NAME`. */
  readonly id: string
  readonly verb: 'live' | 'rebind' | 'add' | 'remove' | 'refuse'
  readonly changes: readonly OptionChange[]
  readonly why: string
}

export interface ReloadPlan {
  /**
   * Services, then pipelines in the order of the new graph, each in graph order; removed nodes last. An id appears
   * twice if a node is removed and another with the same id is added: of another kind, or in place of one that was
   * renamed.
   */
  readonly nodes: readonly NodeChange[]
  /** Only those that change. */
  readonly parts: readonly PartChange[]
  /** Nothing differs except comments, order or formatting. */
  readonly isEmpty: boolean
  /** Why a restart is needed, in sentences that name the keys. Empty if the plan can be carried out. */
  readonly refusals: readonly string[]
}
