// What a dashboard reads of the control API's answers; `null` is never among it.

export interface NodeStatus {
  readonly id: string
  readonly kind: string
  readonly type: string
  readonly state: string
  readonly why: string
  readonly since: string
  readonly restarts: number
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly bitsPerSecond?: number | undefined
  readonly clients?: number | undefined
  readonly urls?: readonly string[] | undefined
  readonly recorder?: RecorderState | undefined
  readonly details?: unknown
}

/** Of an input that keeps its last seconds. */
interface RecorderState {
  readonly keepSeconds: number
  readonly on: readonly string[]
  readonly heldSeconds: number
  readonly heldBytes: number
  readonly isWriting: boolean
  readonly pending?: { readonly file: string; readonly on: readonly string[] } | undefined
  readonly last?:
    | {
        readonly file: string
        readonly at: string
        readonly on: readonly string[]
        readonly bytes: number
        readonly seconds: number
      }
    | undefined
  readonly failure?: { readonly at: string; readonly why: string } | undefined
}

export interface EdgeStatus {
  /** node.port */
  readonly from: string
  readonly to: string
  readonly bitsPerSecond: number
  readonly queuedBytes: number
  readonly isHeld: boolean
  readonly drops: number
  readonly droppedBytes: number
}

interface PipelineStatus {
  readonly name: string
  readonly description?: string | undefined
  readonly pattern?: string | undefined
  readonly nodes: readonly NodeStatus[]
  readonly edges: readonly EdgeStatus[]
}

interface ReloadStatus {
  readonly inSync: boolean
  readonly runningId: string
  readonly diskId?: string | undefined
  readonly reason?: string | undefined
  readonly last?:
    | {
        readonly id?: string | undefined
        readonly at: string
        readonly result: string
        readonly why: string
        readonly viewersBefore: number
        readonly viewersLost: number
      }
    | undefined
}

export interface EngineStatus {
  readonly version: string
  readonly startedAt: string
  readonly uptimeSeconds: number
  readonly ready: boolean
  readonly files: readonly string[]
  readonly reload?: ReloadStatus | undefined
  readonly services: readonly NodeStatus[]
  readonly listeners: readonly { readonly name: string; readonly node?: NodeStatus | undefined }[]
  readonly pipelines: readonly PipelineStatus[]
}

/** All copies of a pattern pipeline. */
export interface CopiesSummary {
  readonly pattern: string
  readonly copies: number
  /** The worst of all nodes. */
  readonly state: string
  readonly notWell: number
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly clients: number
  readonly drops: number
  readonly restarts: number
  readonly continuityErrors?: number | undefined
}

type NodeSample = Pick<NodeStatus, 'id' | 'state' | 'receivedBytes' | 'sentBytes' | 'bitsPerSecond' | 'clients'>

export interface EngineSample {
  readonly at: string
  readonly process?:
    | {
        readonly cpuSeconds: number
        readonly rssBytes: number
        readonly lagSeconds: number
        readonly outputLatencySeconds?: number | undefined
      }
    | undefined
  readonly clients: number
  readonly nodes: readonly NodeSample[]
  readonly edges: readonly EdgeStatus[]
  readonly copies?: readonly CopiesSummary[] | undefined
}

export interface EngineEvent {
  readonly at: string
  readonly kind: string
  readonly node?: string | undefined
  readonly data: Readonly<Record<string, unknown>>
}

/** A line of the log. */
export interface LogEntry {
  readonly at: string
  readonly level: string
  readonly node?: string | undefined
  readonly message: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface ClientStatus {
  readonly id: string
  /** Its output. */
  readonly node: string
  readonly protocol: string
  readonly client: string
  readonly user?: string | undefined
  readonly label?: string | undefined
  readonly userAgent?: string | undefined
  readonly since: string
  readonly state: string
  readonly bytes: number
  readonly behindBytes: number
  readonly skips: number
  /** What the player reports (CMCD). */
  readonly player?: { readonly bufferMs?: number | undefined; readonly stalls?: number | undefined } | undefined
  /** What its protocol measures (SRT). */
  readonly connection?:
    | {
        readonly rttMs?: number | undefined
        readonly lost?: number | undefined
        readonly retransmitted?: number | undefined
      }
    | undefined
}
