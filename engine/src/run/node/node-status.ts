// The status of one node, as the API shows it.
import type { NodeSettings } from '../../graph/graph.js'
import type { NodeStatus } from '../../observe/status.js'
import type { Clock } from '../../plugin/tokens.js'
import type { NodeCalls } from './node-calls.js'
import type { NodeDetails } from './node-details.js'

/** What a node runner shows of itself. */
export type ShownNode = Pick<NodeStatus, 'id' | 'state' | 'why' | 'restarts' | 'receivedBytes' | 'sentBytes'> & {
  readonly settings: NodeSettings
}

export interface StatusParts {
  readonly clock: Clock
  /** When it entered its state. */
  readonly sinceMs: number
  readonly details: NodeDetails
  readonly calls: Pick<NodeCalls, 'status'>
}

export function nodeStatus(node: ShownNode, { clock, sinceMs, details, calls }: StatusParts): NodeStatus {
  const { definition, description, from } = node.settings
  const shown = details.read()
  return {
    id: node.id,
    kind: definition.kind,
    type: definition.type,
    description,
    state: node.state,
    why: node.why,
    since: new Date(clock.wallMs(sinceMs)).toISOString(),
    restarts: node.restarts,
    from: from.map(({ node: id, port }) => `${id}.${port}`),
    receivedBytes: node.receivedBytes,
    sentBytes: node.sentBytes,
    ...(shown === undefined ? {} : { details: shown }),
    ...calls.status(),
  }
}
