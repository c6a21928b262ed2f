// The status of one node, as the API shows it.
import type { NodeStatus } from '../../observe/status.js'
import type { Clock } from '../../plugin/tokens.js'
import type { NodeDetails } from './node-details.js'
import type { AnyNodeRunner } from './node-runner.js'

export interface StatusParts {
  readonly clock: Clock
  /** When it entered its state. */
  readonly sinceMs: number
  readonly details: NodeDetails
}

export function nodeStatus(node: AnyNodeRunner, { clock, sinceMs, details }: StatusParts): NodeStatus {
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
  }
}
