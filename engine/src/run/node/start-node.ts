// Starts a node together with the engine. Wrong options keep the engine from starting; a bug of a plugin fails its node
// alone.
import { reactionOf } from '../../errors.js'
import type { AnyNodeRunner } from './node-runner.js'

/** Rejects as the node's `start` does, unless it has failed because of a bug. */
export async function startNode(node: AnyNodeRunner): Promise<void> {
  try {
    await node.start()
  } catch (error) {
    if (reactionOf(error) !== 'bug') throw error
  }
}
