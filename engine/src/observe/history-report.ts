// The shape in which the control API reports the configurations that have run, as a schema. Users see these names.
import { z } from 'zod'

export const historyEntrySchema = z.object({
  id: z.number().meta({ description: 'Counts up' }),
  at: z.string().meta({ description: 'RFC 3339', format: 'date-time' }),
  by: z.enum(['start', 'file', 'SIGHUP', 'api', 'rollback', 'retry']).meta({ description: 'What brought it' }),
  configId: z.exactOptional(z.string()).meta({ description: 'Short hash of what it means; missing if it has not run' }),
  state: z.enum(['running', 'ran', 'rolled-back', 'unapplied']).meta({
    description:
      'running; ran: replaced by a later one; rolled-back: a node of it failed; unapplied: files that had not been applied when a rollback replaced them',
  }),
  why: z.exactOptional(z.string()).meta({ description: 'Why it was rolled back' }),
  changes: z.array(z.string()).readonly().meta({ description: 'What it changed, one line each, secrets masked' }),
  files: z.array(z.string()).readonly().meta({ description: 'Absolute paths' }),
})

export type HistoryEntry = Readonly<z.infer<typeof historyEntrySchema>>

export const historyListSchema = z
  .object({ entries: z.array(historyEntrySchema).readonly() })
  .meta({ description: 'The configurations that have run, newest first' })
