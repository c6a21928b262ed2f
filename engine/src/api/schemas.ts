// The shapes of types.ts as schemas, for the OpenAPI document and for clients that check what they get. The compiler
// holds both together: a schema that differs from its type is an error here.
import { z } from 'zod'
import type { ApiError, EngineStatus, ListenerStatus, NodeStatus, PipelineStatus, Readiness } from './types.js'

export const nodeStatusSchema = z.object({
  id: z.string().meta({ description: 'pipeline/node, or services/name' }),
  kind: z.enum(['input', 'transform', 'output', 'service']),
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
  bitsPerSecond: z.exactOptional(z.number()),
  clients: z.exactOptional(z.number()),
  urls: z.exactOptional(z.array(z.string()).readonly()),
}) satisfies z.ZodType<NodeStatus>

export const listenerStatusSchema = z.object({
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
  listeners: z.array(listenerStatusSchema).readonly(),
  services: z.array(nodeStatusSchema).readonly(),
  pipelines: z.array(pipelineStatusSchema).readonly(),
}) satisfies z.ZodType<EngineStatus>

/** `reasons` are left out for those who may not read the status. */
export const readinessSchema = z.object({
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
  ListenerStatus: listenerStatusSchema,
  PipelineStatus: pipelineStatusSchema,
  EngineStatus: engineStatusSchema,
  Readiness: readinessSchema,
  ApiError: apiErrorSchema,
} as const

export type SchemaName = keyof typeof SCHEMAS
