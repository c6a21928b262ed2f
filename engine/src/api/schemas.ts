// The shapes of observe/status.ts as schemas, for the OpenAPI document and for clients that validate responses. The
// compiler checks that both agree: a schema that differs from its type is an error here.
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
import type { Json } from '../plugin/contract.js'
import { NODE_KINDS } from '../plugin/node-kinds.js'

const aliasStatusSchema = z
  .object({
    url: z.string(),
    viewers: z.number().meta({ description: 'Connected viewers who used it' }),
    until: z.string().meta({ description: 'RFC 3339: when it ends at the latest', format: 'date-time' }),
  })
  .meta({ description: 'A URL from before a reload that still works' }) satisfies z.ZodType<AliasStatus>

export const nodeStatusSchema = z.object({
  id: z.string().meta({ description: 'pipeline/node, or services/name' }),
  kind: z.enum(NODE_KINDS),
  type: z.string(),
  description: z.string(),
  state: z
    .enum(['opening', 'ready', 'degraded', 'waiting', 'ended', 'failed', 'stopped'])
    .meta({ description: 'waiting: will be retried; failed: will not' }),
  why: z.string().meta({ description: 'Why it is not ready; empty if it is' }),
  since: z.string().meta({ description: 'RFC 3339', format: 'date-time' }),
  restarts: z.number(),
  from: z.array(z.string()).readonly().meta({ description: 'node.port of each source' }),
  receivedBytes: z.number(),
  sentBytes: z.number(),
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
  details: z
    .exactOptional(z.unknown() as z.ZodType<Json>)
    .meta({ description: 'What the node says about itself, by its type' }),
}) satisfies z.ZodType<NodeStatus>

export const clientStatusSchema = z.object({
  id: z.string().meta({ description: 'Id of this session; never reused' }),
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
  reasons: z.array(z.string()).readonly().meta({ description: 'Why it is not ready: "id: why" each' }),
  files: z.array(z.string()).readonly(),
  stateDir: z.string().meta({ description: 'Absolute; contains the token that writing methods need' }),
  reload: z.exactOptional(reloadStatusSchema),
  listeners: z.array(listenerStatusSchema).readonly(),
  services: z.array(nodeStatusSchema).readonly(),
  pipelines: z.array(pipelineStatusSchema).readonly(),
}) satisfies z.ZodType<EngineStatus>

/** `reasons` are omitted for clients that may not read the status. */
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

/** By their name in the OpenAPI document. */
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
