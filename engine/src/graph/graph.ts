// The checked graph: what configuration turns into, what the runner builds from, what a reload compares. Plain data.
import type { SecretMask } from './secret-mask.js'
import type { Definition } from '../plugin/contract.js'
import type { PluginCode } from '../plugin/plugin-code.js'

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
  /** Providers of access, with what they know in plain text; by default none. */
  readonly auth?: readonly ProviderSettings[]
  readonly services: readonly NodeSettings[]
  readonly pipelines: readonly Pipeline[]
  /** What is known of the code of the plugins that were found, for a reload; by default nothing. */
  readonly plugins?: readonly PluginCode[]
  /** Masks what must not be shown of the nodes' options, which hold real values, and has the hashes that a reload compares. */
  readonly secrets: SecretMask
}

export interface EngineSettings {
  readonly api: { readonly address: string; readonly hosts: readonly string[] }
  readonly log: { readonly level: LogLevel }
  /** Absolute. */
  readonly stateDir: string
  readonly drainMs: number
  /** Over all outputs. */
  readonly maxClients: number
  /** `off`, `stdout`, or the absolute path of a file; by default `off`. */
  readonly accessLog?: string
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

export interface ListenerSettings {
  readonly name: string
  readonly protocol: 'http'
  /** `host:port`, port 0 for any free one. */
  readonly address: string
  /** Absolute paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** By default `off`. */
  readonly proxyProtocol?: 'off' | 'v1' | 'v2'
  /** Addresses and ranges; by default none. */
  readonly trustedProxies?: readonly string[]
  /** By default `x-forwarded-for`. */
  readonly forwardedHeader?: 'x-forwarded-for' | 'forwarded'
  readonly maxConnections?: number
  /** 0 for no limit; that is the default. */
  readonly maxClients?: number
  readonly at: Position
}

/** A provider of access, an entry of `auth:`. */
export interface ProviderSettings {
  readonly name: string
  readonly type: string
  /** As the schema of the type returned them. */
  readonly options: unknown
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
  /** The id that it had before it was renamed (`was:`), for a reload. */
  readonly was?: string
  readonly definition: Definition
  /**
   * As the definition's schema returned them: defaults filled in, units converted. Undefined where an unset variable
   * stands in them, which is so only in a graph that was loaded for showing (`noEnv`).
   */
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
