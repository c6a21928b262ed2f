// What a reload would do, as plain data: made from two checked graphs before anything happens, printed by
// `engine reload --plan`, carried out by the runner. Names that users see.
import { z } from 'zod'

/** As the YAML would say it, secrets masked. Both are the same where only a secret differs. */
const value = z.string().optional()

const optionChangeSchema = z.object({
  path: z.string().meta({
    description:
      'Of the option, as clients.max; or was, type, from, description, timeline, batch; options where they are not known; "7 more" where a node has more than 100 changes',
  }),
  reload: z.enum(['live', 'swap', 'source', 'rebind', 'restart']).meta({ description: 'As the option is declared' }),
  before: value.meta({ description: 'As the YAML would say it, secrets as ***; left out where it has no value' }),
  after: value,
})

/** One option that differs. */
export type OptionChange = Readonly<z.infer<typeof optionChangeSchema>>

const planVerbSchema = z.enum(['keep', 'live', 'swap', 'source', 'handoff', 'rebind', 'add', 'remove', 'refuse']).meta({
  description:
    'keep: nothing happens. live: the node takes the new options. rebind: it does, and moves to another listener or path; its viewers stay. swap: a new node takes its place at a key frame; viewers stay. source: the new upstream is connected first, then takes over at its key frame. handoff: the old node lets go before the new one opens, with a gap. refuse: needs a restart; the whole reload is refused.',
})

export type PlanVerb = z.infer<typeof planVerbSchema>

const nodeChangeSchema = z.object({
  id: z.string().meta({ description: 'pipeline/node, or services/name; of a removed node the one that it has' }),
  was: z.exactOptional(z.string()).meta({ description: 'The id that it has now, where it gets another name' }),
  verb: planVerbSchema,
  changes: z.array(optionChangeSchema).readonly(),
  holders: z.exactOptional(z.array(z.string()).readonly()).meta({
    description: 'Of handoff: ids of the running nodes that let go first: itself, others, or both',
  }),
  why: z.string().meta({ description: 'What it costs, or why it is refused; empty for keep' }),
})

export type NodeChange = Readonly<z.infer<typeof nodeChangeSchema>>

const partChangeSchema = z.object({
  id: z.string().meta({
    description: 'listeners/web, engine/log.level, auth/viewers, secrets/name, pipelines/name, plugins/name',
  }),
  verb: z.enum(['live', 'rebind', 'add', 'remove', 'refuse']),
  changes: z.array(optionChangeSchema).readonly(),
  why: z.string(),
})

/** A listener, an option of `engine:`, a provider of access, a secret, a pipeline's own text, a plugin's code. */
export type PartChange = Readonly<z.infer<typeof partChangeSchema>>

export const reloadPlanSchema = z.object({
  nodes: z.array(nodeChangeSchema).readonly().meta({
    description:
      'Services, then pipelines in the order of the new graph, each in graph order; removed nodes last. An id stands here twice where a node goes and another of the same id comes: of another kind, or in place of one that was renamed',
  }),
  parts: z.array(partChangeSchema).readonly().meta({ description: 'Only those that change' }),
  isEmpty: z.boolean().meta({ description: 'Only comments, order or formatting differ' }),
  refusals: z.array(z.string()).readonly().meta({ description: 'Why a restart is needed; empty where it is not' }),
})

export type ReloadPlan = Readonly<z.infer<typeof reloadPlanSchema>>
