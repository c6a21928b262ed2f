// The services that every node runner receives; tests replace them.
import type { Logger } from 'pino'
import type { NodeStatus } from '../../observe/status.js'
import type { EngineClock } from '../../observe/clock.js'
import type { EventLog } from '../../observe/events.js'
import type { MetricsRegistry } from '../../observe/metrics-registry.js'
import type { Events } from '../../plugin/tokens.js'
import type { SharedEndpoints } from './node-endpoints.js'
import type { NodeScope } from './node-scope.js'

export interface RunServices {
  readonly clock: EngineClock
  readonly log: Logger
  readonly metrics: MetricsRegistry
  readonly events: EventLog
  readonly scope: NodeScope
  /** Masks secrets: a plugin's error message can quote its options. */
  mask(text: string): string
  /** Bytes an output has sent to its viewers. */
  sentBytesOf(id: string): number
  /** The viewers of an output; empty for an output without a route. */
  viewersOf(id: string): Pick<NodeStatus, 'clients' | 'clientLimits' | 'urls' | 'aliases'>
  /** Events as plugins see them; each listener runs in the scope of its node. By default the container's. */
  readonly pluginEvents?: Events
  /** Shared by all nodes; each node reaches them through its own endpoints. By default the container's. */
  readonly shared?: SharedEndpoints
}
