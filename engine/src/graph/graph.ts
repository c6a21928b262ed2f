// The checked graph: configuration is loaded into it, the runner builds from it, a reload compares it. Plain data.
import type { SecretMask } from './secret-mask.js'
import type { AccessAction } from '../plugin/auth.js'
import type { AuthDefinition } from '../plugin/auth-definition.js'
import type { Definition, Port } from '../plugin/contract.js'
import type { PluginCode } from '../plugin/plugin-code.js'
import type { KeyRules } from './stream-keys.js'

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
  /** Auth providers, with their credentials in plain text; by default none. */
  readonly auth?: readonly ProviderSettings[]
  /** The nodes of listeners by plugins, then services. */
  readonly services: readonly NodeSettings[]
  readonly pipelines: readonly Pipeline[]
  /** Fingerprints of the installed plugins' code, which a reload compares; by default none. */
  readonly plugins?: readonly PluginCode[]
  /**
   * Masks the secrets in the options of nodes, which hold the real values, and has the hashes that a reload compares.
   */
  readonly secrets: SecretMask
}

export interface ApiSettings {
  readonly address: string
  readonly hosts: readonly string[]
  /** Who needs the token to read; by default `remote`. */
  readonly readToken?: 'remote' | 'always'
}

export interface EngineSettings {
  readonly api: ApiSettings
  readonly log: { readonly level: LogLevel }
  /** Absolute. */
  readonly stateDir: string
  readonly drainMs: number
  /** Across all outputs. */
  readonly maxClients: number
  /** Of all nodes; by default 200. */
  readonly maxProcesses?: number
  /** Paths of programs by name; by default they are found in PATH. */
  readonly programs?: Readonly<Record<string, string>>
  /** `off`, `stdout`, or the absolute path of a file; by default `off`. */
  readonly accessLog?: string
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

export interface ListenerSettings {
  readonly name: string
  /** `http`, or the protocol of a plugin: then `services` has a node `listeners/name`. */
  readonly protocol: string
  /** `host:port`; port 0 picks a free one. */
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
  /** 0, the default, for no limit. */
  readonly maxPerAddress?: number
  /** UDP only, bytes; by default that of the system. */
  readonly receiveBuffer?: number | undefined
  /** 0, the default, for no limit. */
  readonly maxClients?: number
  readonly at: Position
}

/** An auth provider, an entry of `auth:`. */
export interface ProviderSettings {
  readonly name: string
  readonly type: string
  /** Of a type that a plugin provides; undefined for the types of the engine. */
  readonly definition?: AuthDefinition
  /** As the schema of the type returned them. */
  readonly options: unknown
  /** By default `read` alone; for the type `all`, what its parts do. */
  readonly actions?: readonly AccessAction[]
  /** By default all. */
  readonly protocols?: readonly string[]
  readonly at: Position
}

export interface Pipeline {
  readonly name: string
  readonly description: string
  /** Ordered so that every node follows those that it reads from. */
  readonly nodes: readonly NodeSettings[]
  /** Each published stream gets a copy of it; its nodes then have `${stream}` as a literal text. By default it runs itself. */
  readonly pattern?: PatternSettings
}

/** What makes a pipeline a pattern pipeline. */
export interface PatternSettings {
  /** Id of the input that takes the streams; it has `publish`. */
  readonly input: string
}

/** How an input takes published streams. */
export interface PublishSettings extends KeyRules {
  /** Keys at the same time, those that linger included. */
  readonly maxStreams: number
  /** How long a copy stays after its publisher has left. */
  readonly lingerMs: number
  readonly takeover: 'refuse' | 'replace'
  /** A publisher that has sent nothing for this long has lost its line: another one may take its place. */
  readonly takeoverAfterMs: number
  /** Auth providers; any of them admits a publisher, and without any everybody may publish. */
  readonly auth: readonly string[]
}

/** What makes an input write its last seconds to a file. */
export const RECORDER_EVENTS = ['disconnect', 'syncLoss', 'manual'] as const

export type RecorderEvent = (typeof RECORDER_EVENTS)[number]

/** How an input records its last seconds. */
export interface RecorderSettings {
  readonly keepMs: number
  readonly afterMs: number
  readonly on: readonly RecorderEvent[]
  /** Memory for what is kept. */
  readonly maxBytes: number
  /** Absolute; by default in the state folder. */
  readonly path?: string
  readonly maxFiles: number
  /** Of all files together. */
  readonly maxFileBytes: number
}

export interface NodeSettings {
  /** `pipeline/node`, `services/name`, or `listeners/name`. */
  readonly id: string
  /** The id that it had before it was renamed (`was:`), for a reload. */
  readonly was?: string
  readonly definition: Definition
  /**
   * As the definition's schema returned them: defaults filled in, units converted. Undefined if they contain an unset
   * variable, which only happens in a graph that was loaded for display (`noEnv`).
   */
  readonly options: unknown
  /**
   * Where its chunks leave it, as its definition says for its options; empty for outputs and services, and if the options
   * on which they depend are undefined.
   */
  readonly ports: readonly Port[]
  /** What it reads, in the order of `from`; empty for inputs and services. */
  readonly from: readonly PortRef[]
  readonly description: string
  /** Inputs only. `continuous`: the engine makes one timeline of all generations. */
  readonly timeline: 'continuous' | 'source'
  /** Inputs only: how long data is collected into a chunk, milliseconds. */
  readonly batchMs: number
  /** How long an announced PID may be silent before it leads no more; 0 unless it is an input. */
  readonly probeMs: number
  /** Inputs only: the most that is taken of the source, averaged over a second. By default any number. */
  readonly maxBytesPerS?: number
  /** Inputs only. By default it does not record. */
  readonly recorder?: RecorderSettings
  /**
   * Of the graph that these settings were made for, whichever graph they are in: a rollback takes old settings over. By
   * default it can read no secrets.
   */
  readonly secrets?: Pick<SecretMask, 'secretOf'>
  /** Inputs that take published streams. */
  readonly publish?: PublishSettings
  /**
   * In a pattern pipeline: the node with a key filled in, from the text that these settings were read from. Rejects with
   * CONFIG_STREAM if an option does not take the key.
   */
  copy?(key: string): Promise<NodeSettings>
  readonly at: Position
}

export interface PortRef {
  /** Id of the node, `pipeline/node`. */
  readonly node: string
  readonly port: string
}
