// The services that every node runner receives; tests replace them.
import type { Logger } from 'pino'
import type { NodeSettings } from '../../graph/graph.js'
import type { NodeState, NodeStatus } from '../../observe/status.js'
import type { EngineClock } from '../../observe/clock.js'
import type { EventLog } from '../../observe/events.js'
import type { MetricsRegistry } from '../../observe/metrics-registry.js'
import type { Events, Listeners } from '../../plugin/tokens.js'
import type { RouteSource } from './node-endpoints.js'
import type { NodeScope } from './node-scope.js'

/** A node whose state has changed. */
export interface ChangedNode {
  readonly state: NodeState
  readonly why: string
  readonly settings: NodeSettings
}

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
  /** Called when a node has changed its state. */
  onStateChange(node: ChangedNode): void
  /** Shared by all nodes; each node reaches them through its own endpoints. By default the container's. */
  /** Events as plugins see them; each node is called in its own scope. By default the container's. */
  readonly pluginEvents?: Events
  readonly shared?: { readonly delivery: RouteSource; readonly listeners: Listeners }
}
