// The shapes that the control API answers with. Names that users see: a change here is a change of the contract.
import type { ReloadControl, ReloadStatus } from './reload-report.js'
import type { NodeKind } from '../plugin/node-kinds.js'

export type * from './reload-report.js'

export type NodeState = 'opening' | 'ready' | 'degraded' | 'waiting' | 'ended' | 'failed' | 'stopped'

export interface NodeStatus {
  /** `pipeline/node`, or `services/name`. */
  readonly id: string
  readonly kind: NodeKind
  readonly type: string
  readonly description: string
  /** `waiting`: its stream failed, and the engine will subscribe again. `failed`: it will not. */
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
  /** Not there while its code has never kept the event loop from everything else for 200 ms or more. */
  readonly stalls?: StallStatus
  /** Inputs: bits per second over the last seconds. */
  readonly bitsPerSecond?: number
  /** Outputs that serve viewers. */
  readonly clients?: number
  readonly clientLimits?: ClientLimitsStatus
  readonly urls?: readonly string[]
  /** What it was called before and still answers to, for viewers that came by it. */
  readonly aliases?: readonly AliasStatus[]
}

/** Calls into the code of a node that nothing else could run beside. */
export interface StallStatus {
  readonly count: number
  /** All of them together. */
  readonly seconds: number
  /** RFC 3339. */
  readonly lastAt: string
}

/** An URL that an output had before a reload. */
export interface AliasStatus {
  readonly url: string
  /** Those who came by it. */
  readonly viewers: number
  /** RFC 3339: at the latest. It ends before when they have gone. */
  readonly until: string
}

/** Limits of the viewers of one output; 0 for none. */
export interface ClientLimitsStatus {
  readonly max: number
  readonly soft: number
  readonly perAddress: number
  /** Those that are reached now. */
  readonly reached: readonly ('soft' | 'max')[]
}

/** A viewer of a live output. */
export interface ClientStatus {
  /** Of this session; never given twice. */
  readonly id: string
  /** Id of the output. */
  readonly node: string
  /** `address:port`. */
  readonly client: string
  /** Who has signed in. */
  readonly user?: string
  readonly userAgent?: string
  /** RFC 3339. */
  readonly since: string
  /** `waiting`: for a source. `seeking`: passed by the window, for a place to go on. `ending`: has got its last byte. */
  readonly state: 'waiting' | 'reading' | 'seeking' | 'ending'
  /** Given to its socket. */
  readonly bytes: number
  /** Behind the newest byte of the stream. */
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
  /** Why it is not ready, `id: why` each. */
  readonly reasons: readonly string[]
  readonly files: readonly string[]
  /** Absolute; the token that writing methods need is in it. */
  readonly stateDir: string
  /** Not there where nobody reads the files again. */
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

/** What the API reads; the engine implements it. */
export interface StatusSource {
  status(): EngineStatus
  /** Of everything, of one pipeline, or of one node; undefined if there is no such thing. */
  readiness(of?: { readonly pipeline?: string; readonly node?: string }): Readiness | undefined
  /** Viewers of one output, or of all. */
  clients(node?: string): readonly ClientStatus[]
  /** Sends a viewer away, and says who it was; undefined if there is none of this id. */
  kick(id: string): ClientStatus | undefined
  /** Who answers for the configuration; undefined before somebody does, and where nobody reads the files again. */
  readonly reloads?: ReloadControl | undefined
}
