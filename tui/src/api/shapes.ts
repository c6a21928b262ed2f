// What the dashboard reads of the control API's answers. It takes what it knows, and leaves the rest: an engine of
// another version is shown as far as it is understood.
import { z } from 'zod'

const text = z.string().catch('')
const count = z.number().catch(0)
const texts = z.array(z.string()).catch([])

const recorderSchema = z.object({
  keepSeconds: count,
  on: texts,
  heldSeconds: count,
  heldBytes: count,
  isWriting: z.boolean().catch(false),
  pending: z.object({ file: text, on: texts }).optional().catch(undefined),
  last: z.object({ file: text, at: text, on: texts, bytes: count, seconds: count }).optional().catch(undefined),
  failure: z.object({ at: text, why: text }).optional().catch(undefined),
})

const nodeSchema = z.object({
  id: z.string(),
  kind: text,
  type: text,
  state: z.string().catch('opening'),
  why: text,
  since: text,
  restarts: count,
  from: texts,
  receivedBytes: count,
  sentBytes: count,
  bitsPerSecond: z.number().optional().catch(undefined),
  clients: z.number().optional().catch(undefined),
  urls: texts.optional(),
  recorder: recorderSchema.optional().catch(undefined),
  details: z.unknown().optional(),
})

const edgeSchema = z.object({
  from: z.string(),
  to: z.string(),
  bitsPerSecond: count,
  queuedBytes: count,
  isHeld: z.boolean().catch(false),
  drops: count,
  droppedBytes: count,
})

const pipelineSchema = z.object({
  name: z.string(),
  pattern: z.string().optional().catch(undefined),
  stream: z.string().optional().catch(undefined),
  nodes: z.array(nodeSchema).catch([]),
  edges: z.array(edgeSchema).catch([]),
})

const reloadSchema = z.object({
  inSync: z.boolean().catch(true),
  runningId: text,
  diskId: z.string().optional().catch(undefined),
  reason: z.string().optional().catch(undefined),
  last: z
    .object({
      id: z.string().optional().catch(undefined),
      at: text,
      result: text,
      why: text,
      viewersBefore: count,
      viewersLost: count,
    })
    .optional()
    .catch(undefined),
})

export const statusSchema = z.object({
  version: text,
  startedAt: text,
  uptimeSeconds: count,
  ready: z.boolean().catch(false),
  reasons: texts,
  files: texts,
  reload: reloadSchema.optional().catch(undefined),
  services: z.array(nodeSchema).catch([]),
  listeners: z.array(z.object({ name: text, node: nodeSchema.optional().catch(undefined) })).catch([]),
  pipelines: z.array(pipelineSchema).catch([]),
})

const copiesSchema = z.object({
  pattern: z.string(),
  copies: count,
  state: z.string().catch('opening'),
  notWell: count,
  receivedBytes: count,
  sentBytes: count,
  clients: count,
  drops: count,
  restarts: count,
  continuityErrors: z.number().optional().catch(undefined),
})

const processSchema = z.object({
  cpuSeconds: count,
  rssBytes: count,
  lagSeconds: count,
  outputLatencySeconds: z.number().optional().catch(undefined),
})

export const sampleSchema = z.object({
  at: text,
  process: processSchema.optional().catch(undefined),
  clients: count,
  nodes: z
    .array(
      nodeSchema.pick({
        id: true,
        state: true,
        receivedBytes: true,
        sentBytes: true,
        bitsPerSecond: true,
        clients: true,
      }),
    )
    .catch([]),
  edges: z.array(edgeSchema).catch([]),
  copies: z.array(copiesSchema).catch([]),
})

export const eventSchema = z.object({
  at: text,
  kind: z.string(),
  node: z.string().optional().catch(undefined),
  data: z.record(z.string(), z.unknown()).catch({}),
})

export const gapSchema = z.object({ missed: z.number().optional().catch(undefined) })

export const logSchema = z.object({
  at: text,
  level: text,
  node: z.string().optional().catch(undefined),
  message: text,
  data: z.record(z.string(), z.unknown()).catch({}),
})

const playerSchema = z.object({ bufferMs: z.number().optional(), stalls: z.number().optional() })

const connectionSchema = z.object({
  rttMs: z.number().optional(),
  lost: z.number().optional(),
  retransmitted: z.number().optional(),
})

const clientSchema = z.object({
  id: z.string(),
  node: text,
  protocol: text,
  client: text,
  user: z.string().optional().catch(undefined),
  label: z.string().optional().catch(undefined),
  userAgent: z.string().optional().catch(undefined),
  since: text,
  state: text,
  bytes: count,
  behindBytes: count,
  skips: count,
  player: playerSchema.optional().catch(undefined),
  connection: connectionSchema.optional().catch(undefined),
})

export const clientsSchema = z.object({ clients: z.array(clientSchema).catch([]) })

const viewersSchema = z.object({ before: count, kept: count, lost: count })

const diagnosticSchema = z.object({
  severity: text,
  code: text,
  message: text,
  file: text,
  line: count,
  column: count,
  help: text,
  source: z.string().optional().catch(undefined),
})

export const nodeOptionsSchema = z.object({ node: z.string(), at: text, options: z.unknown() })

export const commandResultSchema = z.object({ result: z.unknown() })

export const reloadReportSchema = z.object({
  result: z.string(),
  id: z.string().optional().catch(undefined),
  why: text,
  diagnostics: z.array(diagnosticSchema).catch([]),
  plan: z
    .object({ nodes: z.array(z.object({ id: text, verb: text, why: text })).catch([]) })
    .optional()
    .catch(undefined),
  viewers: viewersSchema.optional().catch(undefined),
})

export type EdgeStatus = z.infer<typeof edgeSchema>
export type EngineStatus = z.infer<typeof statusSchema>
export type EngineSample = z.infer<typeof sampleSchema>
export type EngineEvent = z.infer<typeof eventSchema>
export type LogEntry = z.infer<typeof logSchema>
export type ClientStatus = z.infer<typeof clientSchema>
export type ReloadReport = z.infer<typeof reloadReportSchema>
export type NodeOptions = z.infer<typeof nodeOptionsSchema>
