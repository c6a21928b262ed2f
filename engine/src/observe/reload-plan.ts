// What a reload would do, as plain data: made from two checked graphs before anything happens, printed by
// `engine reload --plan`, carried out by the runner. Users see these names.
import { z } from 'zod'

/** In YAML form, secrets masked. Both are the same if only a secret differs. */
const value = z.string().optional()

const optionChangeSchema = z.object({
  path: z.string().meta({
    description:
      'The option, such as clients.max; or was, type, from, description, timeline, batch; options if they are unknown; "7 more" if a node has more than 100 changes',
  }),
  reload: z
    .enum(['live', 'swap', 'source', 'rebind', 'restart'])
    .meta({ description: 'The declared class of the option' }),
  before: value.meta({ description: 'In YAML form, secrets as ***; omitted if it has no value' }),
  after: value,
})

/** One option that differs. */
export type OptionChange = Readonly<z.infer<typeof optionChangeSchema>>

const planVerbSchema = z.enum(['keep', 'live', 'swap', 'source', 'handoff', 'rebind', 'add', 'remove', 'refuse']).meta({
  description:
    'keep: nothing happens. live: the node takes the new options. rebind: it also moves to another listener or path; its viewers stay. swap: a new node takes its place at a key frame; viewers stay. source: the new upstream is connected first, then takes over at its key frame. handoff: the old node releases its endpoints before the new one opens, with a gap. refuse: needs a restart; the whole reload is refused.',
})

export type PlanVerb = z.infer<typeof planVerbSchema>

const nodeChangeSchema = z.object({
  id: z.string().meta({ description: 'pipeline/node, or services/name; for a removed node its current id' }),
  was: z.exactOptional(z.string()).meta({ description: 'The current id, if the node is renamed' }),
  renamedTo: z.exactOptional(z.string()).meta({
    description:
      'For a removed node: id of an added one that looks like it. If it is the same, `was:` keeps its viewers',
  }),
  verb: planVerbSchema,
  changes: z.array(optionChangeSchema).readonly(),
  losesViewers: z.exactOptional(z.boolean()).meta({
    description:
      'Its viewers have to load the stream again, as with HLS after a change of the path: they count as lost',
  }),
  holders: z.exactOptional(z.array(z.string()).readonly()).meta({
    description:
      'For handoff: ids of the running nodes that release their endpoints first: itself, others, or both; a new node can take over endpoints too',
  }),
  why: z.string().meta({ description: 'What it costs viewers, or why it is refused; empty for keep' }),
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

/**
 * A listener, an option of `engine:`, an auth provider, a secret, the description of a pipeline, the code of a plugin.
 */
export type PartChange = Readonly<z.infer<typeof partChangeSchema>>

export const reloadPlanSchema = z.object({
  nodes: z.array(nodeChangeSchema).readonly().meta({
    description:
      'Services, then pipelines in the order of the new graph, each in graph order; removed nodes last. An id appears twice if a node is removed and another with the same id is added: of another kind, or in place of one that was renamed',
  }),
  parts: z.array(partChangeSchema).readonly().meta({ description: 'Only parts that change' }),
  isEmpty: z.boolean().meta({ description: 'Only comments, order or formatting differ' }),
  refusals: z.array(z.string()).readonly().meta({ description: 'Why a restart is needed; empty if it is not' }),
})

export type ReloadPlan = Readonly<z.infer<typeof reloadPlanSchema>>
