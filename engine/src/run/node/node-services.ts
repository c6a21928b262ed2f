// What the runner of a node uses of the engine, and the services that belong to that one node. The composition root
// implements both.
import type { Logger } from 'pino'
import type { EngineClock } from '../../observe/clock.js'
import type { EventData } from '../../observe/events.js'
import type { MetricsRegistry } from '../../observe/metrics-registry.js'
import type { NodeSettings } from '../../graph/graph.js'
import type { Definition } from '../../plugin/contract.js'
import type { Lineage } from '../../state/lineages.js'
import type { CallServices, NodeCalls } from './node-calls.js'
import type { InputTurns } from './input-turns.js'
import type { Edge } from '../edge/edge.js'
import type { NodeEndpoints } from './node-endpoints.js'

export interface NodeServices extends CallServices {
  readonly clock: EngineClock
  readonly log: Logger
  readonly metrics: MetricsRegistry
  /** The share that inputs have of the event loop. */
  readonly turns: InputTurns
  readonly events: { emit(event: { readonly kind: string; readonly node: string; readonly data?: EventData }): unknown }
  /** Masks secrets: a plugin's error message can quote its options. */
  mask(text: string): string
  /** Bytes an output has sent to its viewers. */
  sentBytesOf(id: string): number
  /** Called once for each runner. `continues`: the lineage of the node that it replaces. */
  own(owner: NodeOwner, continues?: Lineage): OwnServices
}

/** The runner of a node, as the services that belong to it see it. */
export interface NodeOwner {
  /** A reload may rename it. */
  readonly id: string
  readonly settings: NodeSettings
  readonly isStandby: boolean
  /** What it reads. */
  readonly edges: readonly Edge[]
  readonly calls: Pick<NodeCalls, 'call' | 'enter' | 'functions' | 'owned'>
}

export interface OwnServices {
  /** The endpoints it owns on shared listeners. */
  readonly endpoints: NodeEndpoints
  /** What the nodes that replace each other share. */
  readonly lineage: Lineage
  /**
   * Calls `open` with what the definition injects. Ends the timers of the node that was opened before. Throws
   * NODE_UNKNOWN_TOKEN.
   */
  open(definition: Definition, open: OpenNode): Promise<AsyncDisposable>
  /** The node is in the graph, under this id. */
  enter(id: string): void
  /** The node has left the graph, or another has replaced it. */
  leave(): void
  /** The node has ended, and its timers end. Safe twice. */
  close(): void
  /** It never runs again. Safe twice. */
  end(): void
}

/** Calls `open` of a definition with the injected values. */
export type OpenNode = (deps: Readonly<Record<string, unknown>>) => unknown
