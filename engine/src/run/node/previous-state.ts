// The state that a node passes to the node that replaces it.
import type { NodeSettings } from '../../graph/graph.js'
import { messageOf } from './run-errors.js'
import type { Logger } from '../../plugin/contract.js'
import type { NodeCalls } from './node-calls.js'

interface ReplacedNode {
  readonly settings: NodeSettings
  readonly calls: Pick<NodeCalls, 'call'>
  /** The node that the plugin has opened. */
  readonly node: unknown
}

/**
 * The result of the opened node's `snapshotState()`. Undefined if it has no such method or throws, or if the new node
 * is of another kind or type. Never throws.
 */
export function previousStateOf(
  { settings, calls, node: opened }: ReplacedNode,
  next: { readonly settings: NodeSettings; readonly log: Logger },
): unknown {
  const [before, after] = [settings.definition, next.settings.definition]
  if (before.kind !== after.kind || before.type !== after.type) return undefined
  const node = opened as { snapshotState?(): unknown } | undefined
  try {
    return typeof node?.snapshotState === 'function' ? calls.call(() => node.snapshotState?.()) : undefined
  } catch (error) {
    next.log.error({ err: error }, `the replaced node could not snapshot its state: ${messageOf(error)}`)
    return undefined
  }
}
