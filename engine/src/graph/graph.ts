// The checked graph: what configuration turns into, what the runner builds from, what a reload compares. Plain data.
import type { Definition } from '../plugin/contract.js'

/** A place in a YAML file; line and column from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface Graph {
  readonly files: readonly string[]
  readonly engine: EngineSettings
  readonly listeners: readonly ListenerSettings[]
  readonly services: readonly NodeSettings[]
  readonly pipelines: readonly Pipeline[]
}

export interface EngineSettings {
  readonly api: { readonly address: string; readonly hosts: readonly string[] }
  readonly log: { readonly level: LogLevel }
  /** Absolute. */
  readonly stateDir: string
  readonly drainMs: number
  /** Over all outputs. */
  readonly maxClients: number
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

export interface ListenerSettings {
  readonly name: string
  readonly protocol: 'http'
  /** `host:port`, port 0 for any free one. */
  readonly address: string
  readonly at: Position
}

export interface Pipeline {
  readonly name: string
  readonly description: string
  /** In an order in which every node comes after those it reads from. */
  readonly nodes: readonly NodeSettings[]
}

export interface NodeSettings {
  /** `pipeline/node`, or `services/name`. */
  readonly id: string
  readonly definition: Definition
  /** As the definition's schema returned them: defaults filled in, units converted. */
  readonly options: unknown
  /** What it reads, in the order of `from`; empty for inputs and services. */
  readonly from: readonly PortRef[]
  readonly description: string
  /** Inputs only. `continuous`: the engine makes one timeline of all generations. */
  readonly timeline: 'continuous' | 'source'
  /** Inputs only: how long a chunk collects, milliseconds. */
  readonly batchMs: number
  readonly at: Position
}

export interface PortRef {
  /** Id of the node, `pipeline/node`. */
  readonly node: string
  readonly port: string
}
