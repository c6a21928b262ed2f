// The state that a node passes to the node that replaces it.
import { messageOf } from './run-errors.js'
import type { Logger } from '../../plugin/contract.js'

/** The result of the opened node's `snapshotState()`; undefined if it has no such method or throws. Never throws. */
export function previousStateOf(opened: unknown, log: Logger): unknown {
  const node = opened as { snapshotState?(): unknown } | undefined
  try {
    return typeof node?.snapshotState === 'function' ? node.snapshotState() : undefined
  } catch (error) {
    log.error({ err: error }, `the replaced node could not snapshot its state: ${messageOf(error)}`)
    return undefined
  }
}
