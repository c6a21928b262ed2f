// The shapes in which the control API reports reloads and the configuration, as schemas: the types, the OpenAPI document
// and the validation in clients are derived from them. Users see these names.
import { z } from 'zod'
import type { HistoryEntry } from './history-report.js'
import { reloadPlanSchema } from './reload-plan.js'

const MOST_FILES = 500

/**
 * `invalid`: the files have mistakes. `refused`: a restart is needed. `failed`: something could not be opened, nothing
 * has changed. `rolled-back`: something failed after it took over, and the previous configuration runs again.
 * `superseded`: a newer request arrived while this one waited.
 */
export const RELOAD_RESULTS = [
  'applied',
  'unchanged',
  'invalid',
  'refused',
  'failed',
  'superseded',
  'rolled-back',
] as const

export type ReloadResult = (typeof RELOAD_RESULTS)[number]

const time = z.string().meta({ description: 'RFC 3339', format: 'date-time' })

const diagnosticReportSchema = z.object({
  severity: z.enum(['error', 'warning']),
  code: z.string(),
  message: z.string(),
  file: z.string(),
  line: z.number().meta({ description: 'From 1' }),
  column: z.number().meta({ description: 'From 1' }),
  endColumn: z.number(),
  help: z.string(),
  note: z.exactOptional(z.string()).meta({ description: 'Context of the place' }),
  source: z.exactOptional(z.string()).meta({ description: 'The text of the line, if it may be shown' }),
})

export type DiagnosticReport = Readonly<z.infer<typeof diagnosticReportSchema>>

const restored = z.exactOptional(z.boolean()).meta({
  description:
    'Of an edit or a rollback that does not run: whether its files are as before; false if they could not be put back, or somebody has changed them since',
})

const viewersReportSchema = z.object({
  before: z.number(),
  kept: z.number(),
  lost: z.number(),
  perNode: z
    .exactOptional(z.array(z.object({ id: z.string(), kept: z.number(), lost: z.number() })).readonly())
    .meta({ description: 'For nodes that have viewers; missing after the reload was applied' }),
})

export type ViewersReport = Readonly<z.infer<typeof viewersReportSchema>>

const edgeCutSchema = z.object({
  node: z.string().meta({ description: 'Id of the reader' }),
  how: z.enum(['clean', 'marked']).meta({
    description: 'clean: no gap and no repeat; marked: with a marked discontinuity',
  }),
  waitedMs: z.number(),
})

/** How the stream switched from the old branch to the new one, on one edge. */
export type EdgeCut = Readonly<z.infer<typeof edgeCutSchema>>

export const reloadReportSchema = z.object({
  result: z.enum([...RELOAD_RESULTS, 'planned']),
  id: z
    .exactOptional(z.string())
    .meta({ description: 'Id of the configuration that was tried; missing if it has mistakes' }),
  why: z.string().meta({ description: 'One sentence; empty if it was applied, or nothing differs' }),
  retryInMs: z
    .exactOptional(z.number())
    .meta({ description: 'It failed because something did not answer: it is tried again by itself after this time' }),
  durationMs: z.number(),
  diagnostics: z.array(diagnosticReportSchema).readonly(),
  plan: z.exactOptional(reloadPlanSchema),
  viewers: z
    .exactOptional(viewersReportSchema)
    .meta({ description: 'Expected values in a plan, counted values after it was applied' }),
  cuts: z
    .exactOptional(z.array(edgeCutSchema).readonly())
    .meta({ description: 'How each reader that changed was cut over' }),
  restored,
})

/** How a reload went, or how it would go. */
export type ReloadReport = Readonly<z.infer<typeof reloadReportSchema>>

export const reloadFailureSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), help: z.exactOptional(z.string()) }),
  reload: reloadReportSchema,
})

/** An error response with the report of its reload. */
export type ReloadFailure = Readonly<z.infer<typeof reloadFailureSchema>>

const lastReloadSchema = z.object({
  by: z.enum(['file', 'SIGHUP', 'api', 'rollback', 'retry']),
  at: time,
  result: z.enum(RELOAD_RESULTS),
  id: z.exactOptional(z.string()),
  why: z.string(),
  durationMs: z.number(),
  viewersBefore: z.number(),
  viewersLost: z.number(),
  restored,
})

export type LastReload = Readonly<z.infer<typeof lastReloadSchema>>
/** What triggered a reload. */
export type ReloadTrigger = LastReload['by']

export const reloadStatusSchema = z.object({
  inSync: z.boolean(),
  runningId: z.string().meta({ description: 'Short hash of the running configuration, without secrets' }),
  diskId: z.exactOptional(z.string()).meta({ description: 'The same for the files; missing if they have mistakes' }),
  reason: z.exactOptional(z.string()).meta({ description: 'Why they differ, one sentence' }),
  since: z.exactOptional(time),
  inProgress: z
    .exactOptional(z.object({ by: lastReloadSchema.shape.by, since: time }))
    .meta({ description: 'A reload that has begun and not ended yet' }),
  retryAt: z
    .exactOptional(time)
    .meta({ description: 'When a reload is tried again that failed because something did not answer' }),
  last: z.exactOptional(lastReloadSchema),
  probation: z
    .exactOptional(z.object({ until: time }))
    .meta({ description: 'If a changed node fails before then, the reload is rolled back' }),
})

/** Whether the running configuration is the one in the files. */
export type ReloadStatus = Readonly<z.infer<typeof reloadStatusSchema>>

export const checkRequestSchema = z.strictObject({
  files: z
    .array(z.strictObject({ path: z.string().min(1).max(4096), text: z.string() }))
    .min(1)
    .max(MOST_FILES)
    .readonly(),
  run: z
    .array(z.string())
    .max(MOST_FILES)
    .readonly()
    .optional()
    .meta({ description: 'Which of them would be run; the others are included by those. By default all' }),
  against: z.boolean().optional().meta({ description: 'Compare with the running configuration' }),
})

/** Files to check: names and texts. */
export type CheckRequest = Readonly<z.infer<typeof checkRequestSchema>>

export const checkReportSchema = z.object({
  ok: z.boolean().meta({ description: 'No errors, and no restart needed' }),
  diagnostics: z.array(diagnosticReportSchema).readonly(),
  plan: z.exactOptional(reloadPlanSchema),
  viewers: z.exactOptional(viewersReportSchema),
})

export type CheckReport = Readonly<z.infer<typeof checkReportSchema>>

export const nodeEditSchema = z
  .record(z.string(), z.unknown())
  .meta({ description: 'A JSON merge patch (RFC 7396) of the options of the node: null removes an option' })

export const editReportSchema = reloadReportSchema.extend({
  files: z
    .array(z.object({ file: z.string(), line: z.exactOptional(z.number()) }))
    .readonly()
    .meta({ description: 'The files that were written, or would be; empty if nothing differs' }),
})

/** How an edit of the files went, or how it would go. */
export type EditReport = Readonly<z.infer<typeof editReportSchema>>

/** An edit of the options of a node. */
export interface EditRequest {
  /** `pipeline/node`, or `services/name`. */
  readonly node: string
  readonly patch: Readonly<Record<string, unknown>>
  /** Only say what would happen. */
  readonly isPlan: boolean
  /** Whether the running configuration is the one that the client knows; by default any is. */
  readonly isExpected?: ((config: ConfigReport) => boolean) | undefined
  /** Id of the configuration that was planned; by default any result is applied. */
  readonly expectedId?: string | undefined
}

export type ConfigSource = 'running' | 'disk'

/** The effective configuration, secrets masked; or why there is none. */
export type ConfigReport = { readonly config: unknown; readonly yaml: string } | { readonly failure: ReloadFailure }

/**
 * What the API needs of the part that reloads an engine. No call rejects because of the content of files or the state
 * of the disk.
 */
export interface ReloadControl {
  status(): ReloadStatus
  /**
   * Reads the files again and applies them. Resolves when it is done. `isForced`: new nodes take over even if they are
   * not ready.
   */
  reload(isForced?: boolean): Promise<ReloadReport>
  /** What `reload` would do. */
  plan(): Promise<ReloadReport>
  config(source: ConfigSource): Promise<ConfigReport>
  /** Writes an edit to the files, and applies it. Rejects with an error of `editError` if it is refused. */
  edit(request: EditRequest): Promise<EditReport>
  /** The configurations that have run, newest first. */
  history(): Promise<readonly HistoryEntry[]>
  /**
   * Writes an earlier configuration to the files, and applies it: an entry of the history; by default what is running if
   * the files differ from it, else the newest good one before it. `expectedId`: of the configuration that was planned. Rejects with an error of
   * `editError` if it is refused.
   */
  rollback(id: number | undefined, isPlan: boolean, expectedId?: string): Promise<EditReport>
  /** Checks texts without running them; nothing is read from disk except what the running configuration reads. */
  check(request: CheckRequest): Promise<CheckReport>
}
