// The manifest of a plugin: the contents of its definitions as JSON, written when the plugin is built. It allows
// plugins to be listed, inspected and completed without running them.
import { z } from 'zod'
import type { ErrorRow } from '../errors.js'
import type { AnyDefinition } from './auth-definition.js'
import type { TransformDefinition } from './contract.js'
import { DEFINITION_KINDS } from './node-kinds.js'
import { PORT_KINDS } from './ports.js'
import { optionJsonSchema } from './option-json-schema.js'
import { describeOptions } from './option-meta.js'
import type { OptionRow } from './option-meta.js'

const RELOADS = ['live', 'swap', 'source', 'rebind', 'restart'] as const
const REACTIONS = ['retry', 'end', 'config', 'bug'] as const
const text = z.string()

const optionSchema = z.object({
  path: text,
  kind: text,
  description: text,
  reload: z.enum(RELOADS),
  unit: text,
  range: text,
  default: text.optional(),
  required: z.boolean(),
  losesViewers: z.exactOptional(z.boolean()).meta({
    description: 'Viewers have to load the stream again when the option changes',
  }),
  reloadWhen: z
    .exactOptional(z.array(z.object({ option: text, is: text, reload: z.enum(RELOADS), effect: text })).readonly())
    .meta({ description: 'Other classes, for nodes whose option has that value' }),
})

const metricSchema = z.object({
  name: text,
  kind: z.enum(['counter', 'gauge', 'histogram']),
  help: text,
  labels: z.array(text),
})

const commandSchema = z.object({
  name: text,
  summary: text,
  input: z.array(optionSchema).meta({ description: 'What can be given' }),
  schema: z.record(text, z.unknown()).meta({ description: 'JSON Schema of the input' }),
})

const portSchema = z.object({ name: text, kind: z.enum(PORT_KINDS) })

/** A node type, as plain data. */
export const definitionSchema = z.object({
  kind: z.enum(DEFINITION_KINDS),
  type: text,
  summary: text,
  consumes: z.array(text).optional(),
  produces: text.optional(),
  inlets: z.enum(['one', 'many']).optional(),
  ports: z.union([z.array(portSchema), z.literal('by options')]).optional(),
  /** Of listeners. */
  transport: z.enum(['tcp', 'udp']).optional(),
  /** Streams can be published to it. */
  publishers: z.boolean().optional(),
  options: z.array(optionSchema),
  schema: z.record(text, z.unknown()),
  metrics: z.array(metricSchema),
  commands: z.array(commandSchema).default([]),
  examples: z.array(z.object({ title: text, yaml: text })),
})

/** Keys that a newer engine adds are ignored. */
export const manifestSchema = z.object({
  api: text,
  package: text,
  version: text,
  definitions: z.array(definitionSchema),
  errors: z.array(z.object({ code: text, sentence: text, hint: text, reaction: z.enum(REACTIONS) })),
})

export type Manifest = z.output<typeof manifestSchema>
export type DescribedDefinition = z.output<typeof definitionSchema>
export type DescribedOption = z.output<typeof optionSchema>
export type DescribedError = Manifest['errors'][number]

/** Plain data: it shares nothing with the definition, and JSON preserves all of it. */
export function describeDefinition(definition: AnyDefinition): DescribedDefinition {
  const { kind, type, summary, options, metrics = [], examples } = definition
  const commands = 'commands' in definition ? (definition.commands ?? {}) : {}
  const reads = kind === 'transform' || kind === 'output' ? definition : undefined
  return {
    kind,
    type,
    summary,
    ...(reads === undefined ? {} : { consumes: [...reads.consumes], inlets: reads.inlets }),
    ...(kind === 'input' ? { produces: definition.produces } : {}),
    ...(kind === 'transform' ? { ports: portsOf(definition) } : {}),
    ...(kind === 'input' && definition.publishers !== undefined ? { publishers: true } : {}),
    ...(kind === 'listener' ? { transport: definition.transport } : {}),
    options: describeOptions(options).map(optionOf),
    schema: { ...optionJsonSchema(options) },
    metrics: metrics.map(({ name, kind: metricKind, help, labels = [] }) => ({
      name,
      kind: metricKind,
      help,
      labels: [...labels],
    })),
    commands: Object.entries(commands).map(([name, { summary: does, input }]) => ({
      name,
      summary: does,
      input: describeOptions(input).map(optionOf),
      schema: { ...optionJsonSchema(input) },
    })),
    examples: examples.map(({ title, yaml }) => ({ title, yaml })),
  }
}

/** Without options, those of a function are not known. */
function portsOf({ ports }: TransformDefinition): NonNullable<DescribedDefinition['ports']> {
  return typeof ports === 'function' ? 'by options' : ports.map(({ name, kind }) => ({ name, kind }))
}

function optionOf({ default: value, ...row }: OptionRow): DescribedOption {
  return value === undefined ? row : { ...row, default: value }
}

/** Rows of an error table, by code. */
export function describeErrors(table: Readonly<Record<string, ErrorRow>>): readonly DescribedError[] {
  return Object.entries(table).map(([code, { sentence, hint, reaction }]) => ({ code, sentence, hint, reaction }))
}

/** The text of the file. */
export function renderManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`
}
