// The shapes of the responses of the control API. Users see these names: a change here changes the contract.
import type { ReloadControl, ReloadStatus } from './reload-report.js'
import type { Json } from '../plugin/contract.js'
import type { NodeKind } from '../plugin/node-kinds.js'

export type * from './reload-report.js'

export type NodeState = 'opening' | 'ready' | 'degraded' | 'waiting' | 'ended' | 'failed' | 'stopped'

export interface NodeStatus {
  /** `pipeline/node`, or `services/name`. */
  readonly id: string
  readonly kind: NodeKind
  readonly type: string
  readonly description: string
  /** `waiting`: its stream failed, and the engine will subscribe again. `failed`: the engine will not. */
  readonly state: NodeState
  /** Why it is not `ready`, one sentence; empty when it is. */
  readonly why: string
  /** RFC 3339. */
  readonly since: string
  readonly restarts: number
  /** `node.port` of what it reads. */
  readonly from: readonly string[]
  readonly receivedBytes: number
  readonly sentBytes: number
  /** Inputs: bits per second over the last seconds. */
  readonly bitsPerSecond?: number
  /** Outputs that serve viewers. */
  readonly clients?: number
  readonly clientLimits?: ClientLimitsStatus
  readonly urls?: readonly string[]
  /** Former URLs that it still answers to, for viewers who connected through them. */
  readonly aliases?: readonly AliasStatus[]
  /** What a node of this type says about itself; `{ error }` if that could not be read. */
  readonly details?: Json
}

/** A URL that an output had before a reload. */
export interface AliasStatus {
  readonly url: string
  /** Viewers who connected through it. */
  readonly viewers: number
  /** RFC 3339: the latest end. The alias ends earlier if its viewers have left. */
  readonly until: string
}

/** Limits of the viewers of one output; 0 for none. */
export interface ClientLimitsStatus {
  readonly max: number
  readonly soft: number
  readonly perAddress: number
  /** The limits that are reached now. */
  readonly reached: readonly ('soft' | 'max')[]
}

/** A viewer of a live output. */
export interface ClientStatus {
  /** Id of this session; never reused. */
  readonly id: string
  /** Id of the output. */
  readonly node: string
  /** `address:port`. */
  readonly client: string
  /** Name of the user who signed in. */
  readonly user?: string
  readonly userAgent?: string
  /** RFC 3339. */
  readonly since: string
  /**
   * `waiting`: for a source. `seeking`: the window passed it, and it looks for a place to continue. `ending`: its last
   * byte has been sent.
   */
  readonly state: 'waiting' | 'reading' | 'seeking' | 'ending'
  /** Bytes handed to its socket. */
  readonly bytes: number
  /** Distance to the newest byte of the stream. */
  readonly behindBytes: number
  readonly skips: number
  readonly skippedBytes: number
}

export interface ClientList {
  readonly clients: readonly ClientStatus[]
}

export interface ListenerStatus {
  readonly name: string
  readonly protocol: string
  /** As bound: `host:port`. */
  readonly address: string
  readonly origins: readonly string[]
}

export interface PipelineStatus {
  readonly name: string
  readonly description: string
  readonly nodes: readonly NodeStatus[]
}

export interface EngineStatus {
  readonly version: string
  readonly nodeVersion: string
  readonly pid: number
  /** RFC 3339. */
  readonly startedAt: string
  readonly uptimeSeconds: number
  readonly state: 'starting' | 'running' | 'stopping'
  readonly ready: boolean
  /** Why it is not ready, each as `id: why`. */
  readonly reasons: readonly string[]
  readonly files: readonly string[]
  /** Absolute; it contains the token that writing methods need. */
  readonly stateDir: string
  /** Missing if the files are not read again. */
  readonly reload?: ReloadStatus
  readonly listeners: readonly ListenerStatus[]
  readonly services: readonly NodeStatus[]
  readonly pipelines: readonly PipelineStatus[]
}

export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

/** Every error of the API has this body. */
export interface ApiError {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly file?: string
    readonly line?: number
    readonly column?: number
    readonly help?: string
  }
}

/** What the API reads; implemented by the engine. */
export interface StatusSource {
  status(): EngineStatus
  /** Readiness of everything, of one pipeline, or of one node; undefined if it does not exist. */
  readiness(of?: { readonly pipeline?: string; readonly node?: string }): Readiness | undefined
  /** Viewers of one output, or of all. */
  clients(node?: string): readonly ClientStatus[]
  /** Disconnects a viewer and returns its last status; undefined if there is none with this id. */
  kick(id: string): ClientStatus | undefined
  /** The part that reloads the configuration; undefined before it is set, and if the files are not read again. */
  readonly reloads?: ReloadControl | undefined
}
