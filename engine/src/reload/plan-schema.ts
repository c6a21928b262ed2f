// The JSON form of a plan, for the OpenAPI document and for clients that check what they get. The compiler holds schemas
// and types together.
import { z } from 'zod'
import type { NodeChange, OptionChange, PartChange, ReloadPlan } from '../observe/reload-plan.js'

const value = z.string().optional()

const optionChangeSchema = z.object({
  path: z
    .string()
    .meta({ description: 'Of the option, as clients.max; or type, from, was, description, timeline, batch' }),
  reload: z.enum(['live', 'swap', 'source', 'rebind', 'restart']).meta({ description: 'As the option is declared' }),
  before: value.meta({ description: 'As the YAML would say it, secrets as ***; left out where it has no value' }),
  after: value,
}) satisfies z.ZodType<OptionChange>

const nodeChangeSchema = z.object({
  id: z.string().meta({ description: 'pipeline/node, or services/name; of a removed node the one that it has' }),
  was: z.exactOptional(z.string()).meta({ description: 'The id that it has now, where it gets another name' }),
  verb: z.enum(['keep', 'live', 'swap', 'source', 'handoff', 'rebind', 'add', 'remove', 'refuse']),
  changes: z.array(optionChangeSchema).readonly(),
  holders: z
    .exactOptional(z.array(z.string()).readonly())
    .meta({ description: 'Of handoff: ids of the running nodes that let go first' }),
  why: z.string().meta({ description: 'What it costs, or why it is refused; empty for keep' }),
}) satisfies z.ZodType<NodeChange>

const partChangeSchema = z.object({
  id: z.string().meta({ description: 'listeners/web, engine/log.level, auth/viewers, secrets/name, pipelines/name' }),
  verb: z.enum(['live', 'rebind', 'add', 'remove', 'refuse']),
  changes: z.array(optionChangeSchema).readonly(),
  why: z.string(),
}) satisfies z.ZodType<PartChange>

export const reloadPlanSchema = z.object({
  nodes: z.array(nodeChangeSchema).readonly(),
  parts: z.array(partChangeSchema).readonly().meta({ description: 'Only those that change' }),
  isEmpty: z.boolean().meta({ description: 'Only comments, order or formatting differ' }),
  refusals: z.array(z.string()).readonly().meta({ description: 'Why a restart is needed; empty where it is not' }),
}) satisfies z.ZodType<ReloadPlan>
