// The shapes that the control API answers with, as schemas: types, the OpenAPI document and the checks of clients are
// made of them. Names that users see: a change here is a change of the contract.
import { z } from 'zod'
import { NODE_KINDS } from '../plugin/node-kinds.js'
import { reloadStatusSchema, type ReloadControl } from './reload-report.js'

export type * from './reload-report.js'

const time = z.string().meta({ description: 'RFC 3339', format: 'date-time' })
const limit = z.number().meta({ description: '0 for none' })
const texts = z.array(z.string()).readonly()

export const aliasStatusSchema = z
  .object({
    url: z.string(),
    viewers: z.number().meta({ description: 'Those who came by it' }),
    until: time.meta({
      description: 'RFC 3339: at the latest. It ends before when they have gone',
      format: 'date-time',
    }),
  })
  .meta({ description: 'An URL that it had before a reload, and still answers to' })

export type AliasStatus = Readonly<z.infer<typeof aliasStatusSchema>>

const clientLimitsSchema = z.object({
  max: limit,
  soft: limit,
  perAddress: limit,
  reached: z
    .array(z.enum(['soft', 'max']))
    .readonly()
    .meta({ description: 'Those that are reached now' }),
})

/** Limits of the viewers of one output. */
export type ClientLimitsStatus = Readonly<z.infer<typeof clientLimitsSchema>>

export const nodeStatusSchema = z.object({
  id: z.string().meta({ description: 'pipeline/node, or services/name' }),
  kind: z.enum(NODE_KINDS),
  type: z.string(),
  description: z.string(),
  state: z.enum(['opening', 'ready', 'degraded', 'waiting', 'ended', 'failed', 'stopped']).meta({
    description: 'waiting: its stream failed, and it will be tried again; failed: it will not',
  }),
  why: z.string().meta({ description: 'Why it is not ready, one sentence; empty when it is' }),
  since: time,
  restarts: z.number(),
  from: texts.meta({ description: 'node.port of what it reads' }),
  receivedBytes: z.number(),
  sentBytes: z.number(),
  bitsPerSecond: z.exactOptional(z.number()).meta({ description: 'Inputs: over the last seconds' }),
  clients: z.exactOptional(z.number()).meta({ description: 'Outputs that serve viewers' }),
  clientLimits: z.exactOptional(clientLimitsSchema),
  urls: z.exactOptional(texts),
  aliases: z.exactOptional(z.array(aliasStatusSchema).readonly()),
})

export type NodeStatus = Readonly<z.infer<typeof nodeStatusSchema>>
export type NodeState = NodeStatus['state']

export const clientStatusSchema = z.object({
  id: z.string().meta({ description: 'Of this session; never given twice' }),
  node: z.string().meta({ description: 'Id of the output' }),
  client: z.string().meta({ description: 'address:port' }),
  user: z.exactOptional(z.string()).meta({ description: 'Who has signed in' }),
  userAgent: z.exactOptional(z.string()),
  since: time,
  state: z.enum(['waiting', 'reading', 'seeking', 'ending']).meta({
    description:
      'waiting: for a source; seeking: passed by the window, for a place to go on; ending: has got its last byte',
  }),
  bytes: z.number().meta({ description: 'Given to its socket' }),
  behindBytes: z.number().meta({ description: 'Behind the newest byte of the stream' }),
  skips: z.number(),
  skippedBytes: z.number(),
})

/** A viewer of a live output. */
export type ClientStatus = Readonly<z.infer<typeof clientStatusSchema>>

export const clientListSchema = z.object({ clients: z.array(clientStatusSchema).readonly() })

export type ClientList = Readonly<z.infer<typeof clientListSchema>>

export const listenerStatusSchema = z.object({
  name: z.string(),
  protocol: z.string(),
  address: z.string().meta({ description: 'As bound: host:port' }),
  origins: texts,
})

export type ListenerStatus = Readonly<z.infer<typeof listenerStatusSchema>>

export const pipelineStatusSchema = z.object({
  name: z.string(),
  description: z.string(),
  nodes: z.array(nodeStatusSchema).readonly(),
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
  reasons: texts.meta({ description: 'Why it is not ready, id: why each' }),
  files: texts,
  stateDir: z.string().meta({ description: 'Absolute; the token that writing methods need is in it' }),
  reload: z.exactOptional(reloadStatusSchema),
  listeners: z.array(listenerStatusSchema).readonly(),
  services: z.array(nodeStatusSchema).readonly(),
  pipelines: z.array(pipelineStatusSchema).readonly(),
})

export type EngineStatus = Readonly<z.infer<typeof engineStatusSchema>>

export const readinessSchema = z.object({
  ready: z.boolean(),
  reasons: z.exactOptional(texts).meta({ description: 'Left out for those who may not read the status' }),
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
