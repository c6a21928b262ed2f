// The shapes of observe/reload-report.ts as schemas; the compiler checks that both agree.
import { z } from 'zod'
import { reloadPlanSchema } from '../reload/plan-schema.js'
import type {
  CheckReport,
  CheckRequest,
  DiagnosticReport,
  ReloadFailure,
  ReloadReport,
  ReloadStatus,
  ViewersReport,
} from '../observe/reload-report.js'

const RESULTS = ['applied', 'unchanged', 'invalid', 'refused', 'failed', 'superseded', 'rolled-back'] as const
const MOST_FILES = 500

const time = z.string().meta({ description: 'RFC 3339', format: 'date-time' })

const diagnosticReportSchema = z.object({
  severity: z.enum(['error', 'warning']),
  code: z.string(),
  message: z.string(),
  file: z.string(),
  line: z.number(),
  column: z.number(),
  endColumn: z.number(),
  help: z.string(),
  note: z.exactOptional(z.string()),
  source: z.exactOptional(z.string()).meta({ description: 'The text of the line, if it may be shown' }),
}) satisfies z.ZodType<DiagnosticReport>

const viewersReportSchema = z.object({
  before: z.number(),
  kept: z.number(),
  lost: z.number(),
  perNode: z.exactOptional(z.array(z.object({ id: z.string(), kept: z.number(), lost: z.number() })).readonly()),
}) satisfies z.ZodType<ViewersReport>

export const reloadReportSchema = z.object({
  result: z.enum([...RESULTS, 'planned']),
  id: z.exactOptional(z.string()).meta({ description: 'Id of the configuration that was tried' }),
  why: z.string().meta({ description: 'Empty if it was applied, or nothing differs' }),
  durationMs: z.number(),
  diagnostics: z.array(diagnosticReportSchema).readonly(),
  plan: z.exactOptional(reloadPlanSchema),
  viewers: z.exactOptional(viewersReportSchema),
  cuts: z.exactOptional(
    z.array(z.object({ node: z.string(), how: z.enum(['clean', 'marked']), waitedMs: z.number() })).readonly(),
  ),
}) satisfies z.ZodType<ReloadReport>

export const reloadFailureSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), help: z.exactOptional(z.string()) }),
  reload: reloadReportSchema,
}) satisfies z.ZodType<ReloadFailure>

export const reloadStatusSchema = z.object({
  inSync: z.boolean(),
  runningId: z.string().meta({ description: 'Short hash of the running configuration, without secrets' }),
  diskId: z.exactOptional(z.string()).meta({ description: 'The same for the files; absent if they have mistakes' }),
  reason: z.exactOptional(z.string()).meta({ description: 'Why they differ' }),
  since: z.exactOptional(time),
  last: z.exactOptional(
    z.object({
      by: z.enum(['file', 'SIGHUP', 'api']),
      at: time,
      result: z.enum(RESULTS),
      id: z.exactOptional(z.string()),
      why: z.string(),
      durationMs: z.number(),
      viewersBefore: z.number(),
      viewersLost: z.number(),
    }),
  ),
  probation: z.exactOptional(z.object({ until: time })),
}) satisfies z.ZodType<ReloadStatus>

export const checkRequestSchema = z.strictObject({
  files: z
    .array(z.strictObject({ path: z.string().min(1).max(4096), text: z.string() }))
    .min(1)
    .max(MOST_FILES),
  run: z
    .array(z.string())
    .max(MOST_FILES)
    .optional()
    .meta({ description: 'Which of them would be run; the others are included by those. By default all' }),
  against: z.boolean().optional().meta({ description: 'Compare with the running configuration' }),
}) satisfies z.ZodType<CheckRequest>

export const checkReportSchema = z.object({
  ok: z.boolean().meta({ description: 'No errors, and no restart needed' }),
  diagnostics: z.array(diagnosticReportSchema).readonly(),
  plan: z.exactOptional(reloadPlanSchema),
  viewers: z.exactOptional(viewersReportSchema),
}) satisfies z.ZodType<CheckReport>
