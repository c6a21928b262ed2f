// How a node enters the graph.
import type { OpensNode } from './node-opening.js'

/** `N`: a runner of a node. By default the node opens at the start and replaces no node. */
export interface Placement<N> {
  /** It claims no endpoints and shows no metrics before `activate`. */
  readonly isStandby?: boolean
  /** The node it replaces. */
  readonly before?: N
  /** A node that has ended, or could not open: it only continues the lineage. By default that of `before`. */
  readonly continues?: N
  /** It opens once the node it replaces has released everything. */
  readonly isHandoff?: boolean
  /** Opens it instead of its definition: streams are published to it, or it is a listener. */
  readonly opens?: OpensNode | undefined
  /** It only listens for publishers, and has no packets of its own. */
  readonly isListening?: boolean | undefined
}
