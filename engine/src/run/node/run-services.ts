// What runs nodes: handed to each of them, replaced in tests.
import type { Logger } from 'pino'
import type { NodeSettings } from '../../graph/graph.js'
import type { NodeState, NodeStatus } from '../../observe/status.js'
import type { EngineClock } from '../../observe/clock.js'
import type { EventLog } from '../../observe/events.js'
import type { MetricsRegistry } from '../../observe/metrics-registry.js'
import type { Listeners } from '../../plugin/tokens.js'
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
  /** Takes secrets out: what a plugin says of a failure may quote its options. */
  mask(text: string): string
  /** What an output has sent to its viewers. */
  sentBytesOf(id: string): number
  /** The viewers of an output, where it has such. */
  viewersOf(id: string): Pick<NodeStatus, 'clients' | 'clientLimits' | 'urls' | 'aliases'>
  /** Some node has changed its state. */
  onStateChange(node: ChangedNode): void
  /** What nodes share, handed to each of them through claims of its own. By default the container's. */
  readonly shared?: { readonly delivery: RouteSource; readonly listeners: Listeners }
}
