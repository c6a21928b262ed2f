// The state that a node leaves to the one that takes its place.
import { messageOf } from './run-errors.js'
import type { Logger } from '../../plugin/contract.js'

/** What `snapshotState()` of the opened node returns; undefined where it has none, or fails. Never throws. */
export function previousStateOf(opened: unknown, log: Logger): unknown {
  const node = opened as { snapshotState?(): unknown } | undefined
  try {
    return typeof node?.snapshotState === 'function' ? node.snapshotState() : undefined
  } catch (error) {
    log.error({ err: error }, `the node before it could not hand over: ${messageOf(error)}`)
    return undefined
  }
}
