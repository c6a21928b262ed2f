// What a node learns about the node that it replaces: its state, and which of its inlets continue.
import type { NodeSettings } from '../../graph/graph.js'
import type { InletChanges, Logger, Previous } from '../../plugin/contract.js'
import type { NodeState } from '../../observe/status.js'
import { continuedEdges, type Edge } from '../edge/edge.js'
import type { NodeCalls } from './node-calls.js'
import { messageOf } from '../../errors.js'

/** A node runner, before or after a reload. */
export interface Replaceable {
  readonly settings: NodeSettings
  readonly edges: readonly Edge[]
  readonly log: Logger
  readonly calls: Pick<NodeCalls, 'call'>
  readonly state: NodeState
  /** What the plugin has opened; undefined once it has been disposed. */
  readonly node: AsyncDisposable | undefined
}

/** Undefined if there is no node of the same kind and type to replace. Never throws. */
export function previousOf(before: Replaceable | undefined, next: Replaceable): Previous | undefined {
  if (before === undefined) return undefined
  const [old, own] = [before.settings.definition, next.settings.definition]
  if (old.kind !== own.kind || old.type !== own.type) return undefined
  // A node that has failed for good is about to be disposed, and its state may be what broke it.
  const state = before.state === 'failed' ? undefined : snapshotOf(before, next.log)
  return { state, inlets: compareInlets(before.edges, next.edges) }
}

/** The result of the opened node's `snapshotState()`; undefined if it has no such method or throws. */
function snapshotOf({ node: opened, calls }: Replaceable, log: Logger): unknown {
  const node = opened as { snapshotState?(): unknown } | undefined
  try {
    return typeof node?.snapshotState === 'function' ? calls.call(() => node.snapshotState?.()) : undefined
  } catch (error) {
    log.error({ err: error }, `the replaced node could not snapshot its state: ${messageOf(error)}`)
    return undefined
  }
}

function compareInlets(before: readonly Edge[], after: readonly Edge[]): InletChanges {
  const continued = continuedEdges(before, after)
  const pairs = [...continued].filter(([edge, old]) => edge.id !== old.id)
  const olds = new Set(continued.values())
  return {
    kept: after.filter((edge) => continued.has(edge)).map(({ id }) => id),
    added: after.filter((edge) => !continued.has(edge)).map(({ id }) => id),
    removed: before.filter((edge) => !olds.has(edge)).map(({ id }) => id),
    renamed: new Map(pairs.map(([edge, old]) => [old.id, edge.id])),
  }
}
