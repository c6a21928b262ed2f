// The shapes of the responses of the control API, as schemas: the types, the OpenAPI document and the validation in
// clients are derived from them. Users see these names: a change here changes the contract.
import { z } from 'zod'
import type { Json } from '../plugin/contract.js'
import { PORT_KINDS } from '../plugin/ports.js'
import { definitionSchema } from '../plugin/manifest.js'
import { NODE_KINDS } from '../plugin/node-kinds.js'
import type { EventLog } from './events.js'
import { recorderStatusSchema } from './recorder-status.js'
import { reloadStatusSchema, type ReloadControl } from './reload-report.js'

export type * from './reload-report.js'

const time = z.string().meta({ description: 'RFC 3339', format: 'date-time' })
const limit = z.number().meta({ description: '0 for none' })
const texts = z.array(z.string()).readonly()

export const aliasStatusSchema = z
  .object({
    url: z.string(),
    viewers: z.number().meta({ description: 'Connected viewers who used it' }),
    until: time.meta({
      description: 'RFC 3339: when it ends at the latest; earlier if its viewers have left',
      format: 'date-time',
    }),
  })
  .meta({ description: 'A URL from before a reload that still works' })

export type AliasStatus = Readonly<z.infer<typeof aliasStatusSchema>>

const clientLimitsSchema = z.object({
  max: limit,
  soft: limit,
  perAddress: limit,
  reached: z
    .array(z.enum(['soft', 'max']))
    .readonly()
    .meta({ description: 'The limits that are reached now' }),
})

/** Limits of the viewers of one output. */
export type ClientLimitsStatus = Readonly<z.infer<typeof clientLimitsSchema>>

const stallStatusSchema = z
  .object({
    count: z.number(),
    seconds: z.number().meta({ description: 'All stalls together' }),
    lastAt: time,
  })
  .meta({ description: 'Calls of its code that blocked the event loop for 200 ms or more; missing if there were none' })

const portStatusSchema = z.object({
  name: z.string(),
  kind: z.enum(PORT_KINDS).meta({ description: 'bytes: the engine frames them, and readers receive ts chunks' }),
  sentBytes: z.number(),
})

const leadSchema = z
  .object({
    program: z.number().meta({ description: 'program_number' }),
    pid: z.number(),
    media: z.enum(['video', 'audio', 'data']),
    codec: z.string(),
  })
  .meta({ description: 'Inputs: the track at whose pictures (or frames) viewers start; missing before PAT and PMT' })

export const nodeStatusSchema = z.object({
  id: z.string().meta({ description: 'pipeline/node, services/name, or listeners/name' }),
  kind: z.enum(NODE_KINDS),
  type: z.string(),
  description: z.string(),
  state: z.enum(['opening', 'ready', 'idle', 'degraded', 'waiting', 'ended', 'failed', 'stopped']).meta({
    description:
      'opening: it acquires its resources; ready: it works, and packets come from an input; idle: it holds its resources, and by design nobody uses it, which counts as ready; degraded: it works, but not as it should; waiting: it failed and will be retried, or it is an input that is connected and receives no packets; ended: its work is done; failed: it will not be retried; stopped: by the engine',
  }),
  why: z.string().meta({ description: 'Why it is not ready, or idle, one sentence; empty if it is ready' }),
  since: z.string().meta({
    description:
      'RFC 3339: since when it is in this state; opening and waiting are one, so that it says since when the node has not worked',
    format: 'date-time',
  }),
  restarts: z.number(),
  from: texts.meta({ description: 'node.port of each source' }),
  receivedBytes: z.number(),
  sentBytes: z.number(),
  ports: z
    .exactOptional(z.array(portStatusSchema).readonly())
    .meta({ description: 'Transforms: what leaves each port' }),
  stalls: z.exactOptional(stallStatusSchema),
  bitsPerSecond: z.exactOptional(z.number()).meta({ description: 'Inputs: over the last seconds' }),
  lead: z.exactOptional(leadSchema),
  recorder: z.exactOptional(recorderStatusSchema),
  clients: z.exactOptional(z.number()).meta({ description: 'Outputs that serve viewers' }),
  clientLimits: z.exactOptional(clientLimitsSchema),
  urls: z.exactOptional(texts),
  aliases: z.exactOptional(z.array(aliasStatusSchema).readonly()).meta({
    description: 'Former URLs that still work, for viewers who connected through them',
  }),
  details: z
    .exactOptional(z.unknown() as z.ZodType<Json>)
    .meta({ description: 'What a node of this type says about itself; { error } if that could not be read' }),
})

export type NodeStatus = Readonly<z.infer<typeof nodeStatusSchema>>
export type NodeState = NodeStatus['state']

const playerReportSchema = z.object({
  bufferMs: z.exactOptional(z.number()).meta({ description: 'Media that it holds and has not played' }),
  bitsPerSecond: z.exactOptional(z.number()).meta({ description: 'Of the rendition that it plays' }),
  throughputBitsPerSecond: z.exactOptional(z.number()).meta({ description: 'As it measures' }),
  stalls: z.exactOptional(z.number()).meta({ description: 'How often its buffer ran empty' }),
})

const connectionReportSchema = z.object({
  rttMs: z.exactOptional(z.number()).meta({ description: 'Round trip' }),
  latencyMs: z.exactOptional(z.number()).meta({ description: 'Latency in force' }),
  lost: z.exactOptional(z.number()).meta({ description: 'Packets that its end reported as missing' }),
  retransmitted: z.exactOptional(z.number()).meta({ description: 'Packets sent again' }),
  dropped: z.exactOptional(z.number()).meta({ description: 'Packets given up as too late' }),
  bufferMs: z.exactOptional(z.number()).meta({ description: 'Media sent and not acknowledged' }),
})

export const clientStatusSchema = z.object({
  id: z.string().meta({ description: 'Id of this session; never reused' }),
  node: z.string().meta({ description: 'Id of the output' }),
  protocol: z.string().meta({ description: 'http, https, ...' }),
  client: z.string().meta({ description: 'address:port' }),
  user: z.exactOptional(z.string()).meta({ description: 'Name of the user who signed in' }),
  label: z.exactOptional(z.string()).meta({ description: 'What the configuration calls such clients' }),
  userAgent: z.exactOptional(z.string()),
  path: z.string().meta({ description: 'What it asked for: a path without its query, or the name of a stream' }),
  since: time,
  state: z.enum(['waiting', 'reading', 'seeking', 'ending']).meta({
    description:
      'waiting: for a source; seeking: the window passed it, and it looks for a place to continue; ending: its last byte has been sent',
  }),
  bytes: z.number().meta({ description: 'Handed to its socket' }),
  behindBytes: z.number().meta({ description: 'Distance to the newest byte of the stream' }),
  skips: z.number(),
  skippedBytes: z.number(),
  player: z.exactOptional(playerReportSchema).meta({ description: 'What the player reports about itself (CMCD)' }),
  connection: z
    .exactOptional(connectionReportSchema)
    .meta({ description: 'What its protocol measures on the connection (SRT)' }),
})

/** A viewer of an output. */
export type ClientStatus = Readonly<z.infer<typeof clientStatusSchema>>

export const clientListSchema = z.object({
  clients: z.array(clientStatusSchema).readonly(),
  next: z
    .exactOptional(z.string())
    .meta({ description: 'With `limit`, if there are more: the `after` of the next request' }),
})

export type ClientList = Readonly<z.infer<typeof clientListSchema>>

export const listenerStatusSchema = z.object({
  name: z.string(),
  protocol: z.string(),
  address: z.string().meta({ description: 'As bound: host:port' }),
  origins: texts,
  why: z.exactOptional(z.string()).meta({
    description: 'Why it accepts nothing: a reload failed, and its address could not be bound again; it is tried again',
  }),
  node: z.exactOptional(nodeStatusSchema).meta({ description: 'Of a listener whose protocol a plugin speaks' }),
})

export type ListenerStatus = Readonly<z.infer<typeof listenerStatusSchema>>

const edgeStatusSchema = z.object({
  from: z.string().meta({ description: 'node.port that it reads' }),
  to: z.string().meta({ description: 'Id of the reader' }),
  bitsPerSecond: z.number().meta({ description: 'Over the last seconds' }),
  receivedBytes: z.number(),
  queuedBytes: z.number().meta({ description: 'Waiting, because the reader holds or is behind' }),
  isHeld: z.boolean().meta({ description: 'The reader holds, or has queued chunks to read' }),
  drops: z.number().meta({ description: 'How often the edge began to drop' }),
  droppedBytes: z.number(),
})

/** One edge: what travels from a port to a reader. */
export type EdgeStatus = Readonly<z.infer<typeof edgeStatusSchema>>

export const pipelineStatusSchema = z.object({
  name: z.string().meta({ description: 'Of a copy of a pattern pipeline: name@key' }),
  description: z.string(),
  pattern: z.exactOptional(z.string()).meta({ description: 'Of a copy: the pattern pipeline' }),
  stream: z.exactOptional(z.string()).meta({ description: 'Of a copy: the key of the published stream' }),
  nodes: z.array(nodeStatusSchema).readonly(),
  edges: z.array(edgeStatusSchema).readonly(),
})

export type PipelineStatus = Readonly<z.infer<typeof pipelineStatusSchema>>

export const engineStatusSchema = z.object({
  version: z.string(),
  nodeVersion: z.string(),
  pid: z.number(),
  startedAt: time,
  uptimeSeconds: z.number(),
  state: z.enum(['starting', 'running', 'stopping']),
  ready: z.boolean(),
  reasons: texts.meta({ description: 'Why it is not ready: "id: why" each' }),
  files: texts,
  stateDir: z.string().meta({ description: 'Absolute; contains the token that writing methods need' }),
  reload: z.exactOptional(reloadStatusSchema).meta({ description: 'Missing if the files are not read again' }),
  listeners: z.array(listenerStatusSchema).readonly(),
  services: z.array(nodeStatusSchema).readonly(),
  pipelines: z.array(pipelineStatusSchema).readonly(),
})

export type EngineStatus = Readonly<z.infer<typeof engineStatusSchema>>

const processSampleSchema = z
  .object({
    cpuSeconds: z.number().meta({ description: 'Processor time since the start' }),
    rssBytes: z.number().meta({ description: 'Resident memory' }),
    lagSeconds: z.number().meta({ description: 'How late the event loop runs timers, 99th percentile of 10 s' }),
    outputLatencySeconds: z.exactOptional(z.number()).meta({
      description:
        'From the arrival of data to when the outputs pass it on, 99th percentile of the last 10 to 20 s; missing while nothing is passed on',
    }),
  })
  .meta({ description: 'The process of the engine' })

const copiesSummarySchema = z
  .object({
    pattern: z.string().meta({ description: 'The pattern pipeline' }),
    copies: z.number(),
    state: nodeStatusSchema.shape.state.meta({ description: 'The worst of all nodes' }),
    notWell: z.number().meta({ description: 'Copies with a node that is not well' }),
    receivedBytes: z.number().meta({ description: 'By the inputs of the present copies' }),
    sentBytes: z.number().meta({ description: 'By the outputs of the present copies' }),
    clients: z.number(),
    drops: z.number(),
    restarts: z.number(),
    continuityErrors: z.exactOptional(z.number()).meta({ description: 'Missing if no node counts them' }),
  })
  .meta({ description: 'All copies of a pattern pipeline' })

export type CopiesSummary = Readonly<z.infer<typeof copiesSummarySchema>>

const engineSampleSchema = z.object({
  at: time,
  process: processSampleSchema,
  clients: z.number().meta({ description: 'Viewers of all outputs' }),
  nodes: z
    .array(
      nodeStatusSchema.pick({
        ...{ id: true, state: true, receivedBytes: true, sentBytes: true, bitsPerSecond: true, clients: true },
      }),
    )
    .readonly(),
  edges: z.array(edgeStatusSchema).readonly(),
  copies: z
    .exactOptional(z.array(copiesSummarySchema).readonly())
    .meta({ description: 'In place of the nodes and edges of copies; missing with `copies=all`' }),
})

/** The numbers that change all the time, once a second in the event stream. */
export type EngineSample = Readonly<z.infer<typeof engineSampleSchema>>

export const readinessSchema = z.object({
  ready: z.boolean(),
  reasons: z.exactOptional(texts).meta({ description: 'Omitted for clients that may not read the status' }),
})

export type Readiness = Readonly<Required<z.infer<typeof readinessSchema>>>

export const apiErrorSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    file: z.exactOptional(z.string()),
    line: z.exactOptional(z.number()),
    column: z.exactOptional(z.number()),
    help: z.exactOptional(z.string()),
  }),
})

/** Every error of the API has this body. */
export type ApiError = Readonly<z.infer<typeof apiErrorSchema>>

export const commandResultSchema = z.object({
  result: (z.unknown() as z.ZodType<Json>).meta({ description: 'What the command returned; null if nothing' }),
})

/** The answer to a command. */
export type CommandResult = Readonly<z.infer<typeof commandResultSchema>>

export const nodeTypeListSchema = z.object({ nodeTypes: z.array(definitionSchema).readonly() })

/** What can be said about node types without running them. */
export type NodeTypeList = Readonly<z.infer<typeof nodeTypeListSchema>>

/** What the event stream of the API reads; implemented by the engine. */
export interface EventSource {
  readonly events: Pick<EventLog, 'recent' | 'subscribe'>
  /** Of everything, or of one pipeline. `isSummary`: copies of pattern pipelines as one row each. */
  sample(pipeline?: string, isSummary?: boolean): EngineSample
}

/** What the API reads; implemented by the engine. */
export interface StatusSource {
  /** `isSummary`: without the copies of pattern pipelines, which the samples of such a reader have as one row each. */
  status(isSummary?: boolean): EngineStatus
  /** Readiness of everything, of one pipeline, or of one node; undefined if it does not exist. */
  readiness(of?: { readonly pipeline?: string; readonly node?: string }): Readiness | undefined
  /** Viewers of one output, or of all. */
  clients(node?: string): readonly ClientStatus[]
  /** Disconnects a viewer and returns its last status; undefined if there is none with this id. */
  kick(id: string): ClientStatus | undefined
  /** The types of the nodes of the running graph. */
  nodeTypes(): NodeTypeList
  /** Runs a command of a node. Rejects with an error of `commandError`, or with the EngineError that it has thrown. */
  command(node: string, name: string, input: unknown): Promise<Json>
  /** The part that reloads the configuration; undefined before it is set, and if the files are not read again. */
  readonly reloads?: ReloadControl | undefined
}
