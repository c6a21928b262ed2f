// The JSON form of a plan, for the OpenAPI document and for clients that validate responses. The compiler checks that
// schemas and types agree.
import { z } from 'zod'
import type { NodeChange, OptionChange, PartChange, ReloadPlan } from '../observe/reload-plan.js'

const value = z.string().optional()

const optionChangeSchema = z.object({
  path: z
    .string()
    .meta({ description: 'The option, such as clients.max; or type, from, was, description, timeline, batch' }),
  reload: z
    .enum(['live', 'swap', 'source', 'rebind', 'restart'])
    .meta({ description: 'The declared class of the option' }),
  before: value.meta({ description: 'In YAML form, secrets as ***; omitted if it has no value' }),
  after: value,
}) satisfies z.ZodType<OptionChange>

const nodeChangeSchema = z.object({
  id: z.string().meta({ description: 'pipeline/node, or services/name; for a removed node its current id' }),
  was: z.exactOptional(z.string()).meta({ description: 'The current id, if the node is renamed' }),
  verb: z.enum(['keep', 'live', 'swap', 'source', 'handoff', 'rebind', 'add', 'remove', 'refuse']),
  changes: z.array(optionChangeSchema).readonly(),
  holders: z
    .exactOptional(z.array(z.string()).readonly())
    .meta({ description: 'For handoff: ids of the running nodes that release their resources first' }),
  why: z.string().meta({ description: 'What it costs viewers, or why it is refused; empty for keep' }),
}) satisfies z.ZodType<NodeChange>

const partChangeSchema = z.object({
  id: z.string().meta({ description: 'listeners/web, engine/log.level, auth/viewers, secrets/name, pipelines/name' }),
  verb: z.enum(['live', 'rebind', 'add', 'remove', 'refuse']),
  changes: z.array(optionChangeSchema).readonly(),
  why: z.string(),
}) satisfies z.ZodType<PartChange>

export const reloadPlanSchema = z.object({
  nodes: z.array(nodeChangeSchema).readonly(),
  parts: z.array(partChangeSchema).readonly().meta({ description: 'Only parts that change' }),
  isEmpty: z.boolean().meta({ description: 'Only comments, order or formatting differ' }),
  refusals: z.array(z.string()).readonly().meta({ description: 'Why a restart is needed; empty if it is not' }),
}) satisfies z.ZodType<ReloadPlan>
