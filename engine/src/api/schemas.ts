// The shapes of status-types.ts as schemas, for the OpenAPI document and for clients that check what they get. The compiler
// holds both together: a schema that differs from its type is an error here.
import { z } from 'zod'
import type {
  AliasStatus,
  ApiError,
  ClientList,
  ClientStatus,
  EngineStatus,
  ListenerStatus,
  NodeStatus,
  PipelineStatus,
  Readiness,
} from '../observe/status.js'
import { checkReportSchema, reloadFailureSchema, reloadReportSchema, reloadStatusSchema } from './reload-schemas.js'
import { NODE_KINDS } from '../plugin/node-kinds.js'

const aliasStatusSchema = z
  .object({
    url: z.string(),
    viewers: z.number().meta({ description: 'Those who came by it' }),
    until: z.string().meta({ description: 'RFC 3339: at the latest', format: 'date-time' }),
  })
  .meta({ description: 'An URL that it had before a reload, and still answers to' }) satisfies z.ZodType<AliasStatus>

export const nodeStatusSchema = z.object({
  id: z.string().meta({ description: 'pipeline/node, or services/name' }),
  kind: z.enum(NODE_KINDS),
  type: z.string(),
  description: z.string(),
  state: z
    .enum(['opening', 'ready', 'degraded', 'waiting', 'ended', 'failed', 'stopped'])
    .meta({ description: 'waiting: will be tried again; failed: will not' }),
  why: z.string().meta({ description: 'Why it is not ready; empty when it is' }),
  since: z.string().meta({ description: 'RFC 3339', format: 'date-time' }),
  restarts: z.number(),
  from: z.array(z.string()).readonly().meta({ description: 'node.port of what it reads' }),
  receivedBytes: z.number(),
  sentBytes: z.number(),
  stalls: z.exactOptional(
    z
      .object({
        count: z.number(),
        seconds: z.number().meta({ description: 'All of them together' }),
        lastAt: z.string().meta({ description: 'RFC 3339', format: 'date-time' }),
      })
      .meta({ description: 'Times that its code kept the event loop from everything else for 200 ms or more' }),
  ),
  bitsPerSecond: z.exactOptional(z.number()),
  clients: z.exactOptional(z.number()),
  clientLimits: z.exactOptional(
    z.object({
      max: z.number().meta({ description: '0 for none' }),
      soft: z.number().meta({ description: '0 for none' }),
      perAddress: z.number().meta({ description: '0 for none' }),
      reached: z.array(z.enum(['soft', 'max'])).readonly(),
    }),
  ),
  urls: z.exactOptional(z.array(z.string()).readonly()),
  aliases: z.exactOptional(z.array(aliasStatusSchema).readonly()),
}) satisfies z.ZodType<NodeStatus>

export const clientStatusSchema = z.object({
  id: z.string().meta({ description: 'Of this session; never given twice' }),
  node: z.string(),
  client: z.string().meta({ description: 'address:port' }),
  user: z.exactOptional(z.string()),
  userAgent: z.exactOptional(z.string()),
  since: z.string().meta({ description: 'RFC 3339', format: 'date-time' }),
  state: z.enum(['waiting', 'reading', 'seeking', 'ending']),
  bytes: z.number(),
  behindBytes: z.number(),
  skips: z.number(),
  skippedBytes: z.number(),
}) satisfies z.ZodType<ClientStatus>

export const clientListSchema = z.object({
  clients: z.array(clientStatusSchema).readonly(),
}) satisfies z.ZodType<ClientList>

const listenerStatusSchema = z.object({
  name: z.string(),
  protocol: z.string(),
  address: z.string().meta({ description: 'As bound: host:port' }),
  origins: z.array(z.string()).readonly(),
}) satisfies z.ZodType<ListenerStatus>

export const pipelineStatusSchema = z.object({
  name: z.string(),
  description: z.string(),
  nodes: z.array(nodeStatusSchema).readonly(),
}) satisfies z.ZodType<PipelineStatus>

export const engineStatusSchema = z.object({
  version: z.string(),
  nodeVersion: z.string(),
  pid: z.number(),
  startedAt: z.string().meta({ description: 'RFC 3339', format: 'date-time' }),
  uptimeSeconds: z.number(),
  state: z.enum(['starting', 'running', 'stopping']),
  ready: z.boolean(),
  reasons: z.array(z.string()).readonly().meta({ description: 'Why it is not ready, id: why each' }),
  files: z.array(z.string()).readonly(),
  stateDir: z.string().meta({ description: 'Absolute; the token that writing methods need is in it' }),
  reload: z.exactOptional(reloadStatusSchema),
  listeners: z.array(listenerStatusSchema).readonly(),
  services: z.array(nodeStatusSchema).readonly(),
  pipelines: z.array(pipelineStatusSchema).readonly(),
}) satisfies z.ZodType<EngineStatus>

/** `reasons` are left out for those who may not read the status. */
const readinessSchema = z.object({
  ready: z.boolean(),
  reasons: z.exactOptional(z.array(z.string()).readonly()),
}) satisfies z.ZodType<Partial<Readiness>>

export const apiErrorSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    file: z.exactOptional(z.string()),
    line: z.exactOptional(z.number()),
    column: z.exactOptional(z.number()),
    help: z.exactOptional(z.string()),
  }),
}) satisfies z.ZodType<ApiError>

/** By the name that they have in the OpenAPI document. */
export const SCHEMAS = {
  NodeStatus: nodeStatusSchema,
  AliasStatus: aliasStatusSchema,
  ListenerStatus: listenerStatusSchema,
  ClientStatus: clientStatusSchema,
  ClientList: clientListSchema,
  PipelineStatus: pipelineStatusSchema,
  EngineStatus: engineStatusSchema,
  Readiness: readinessSchema,
  ReloadStatus: reloadStatusSchema,
  ReloadReport: reloadReportSchema,
  ReloadFailure: reloadFailureSchema,
  CheckReport: checkReportSchema,
  ApiError: apiErrorSchema,
} as const

export type SchemaName = keyof typeof SCHEMAS
