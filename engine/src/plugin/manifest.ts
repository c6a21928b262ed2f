// The manifest of a plugin: the contents of its definitions as JSON, written when the plugin is built. It allows
// plugins to be listed, inspected and completed without running them.
import { z } from 'zod'
import type { ErrorRow } from '../errors.js'
import type { Definition } from './contract.js'
import { NODE_KINDS } from './node-kinds.js'
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
})

const metricSchema = z.object({
  name: text,
  kind: z.enum(['counter', 'gauge', 'histogram']),
  help: text,
  labels: z.array(text),
})

const definitionSchema = z.object({
  kind: z.enum(NODE_KINDS),
  type: text,
  summary: text,
  consumes: z.array(text).optional(),
  produces: text.optional(),
  inlets: z.enum(['one', 'many']).optional(),
  /** Of listeners. */
  transport: z.enum(['tcp', 'udp']).optional(),
  ports: z.array(text).optional(),
  /** Streams can be published to it. */
  publishers: z.boolean().optional(),
  options: z.array(optionSchema),
  schema: z.record(text, z.unknown()),
  metrics: z.array(metricSchema),
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
export function describeDefinition(definition: Definition): DescribedDefinition {
  const { kind, type, summary, options, metrics = [], examples } = definition
  const reads = kind === 'transform' || kind === 'output' ? definition : undefined
  return {
    kind,
    type,
    summary,
    ...(reads === undefined ? {} : { consumes: [...reads.consumes], inlets: reads.inlets }),
    ...(kind === 'input' || kind === 'transform' ? { produces: definition.produces } : {}),
    ...(kind === 'input' && definition.publishers !== undefined ? { publishers: true } : {}),
    ...(kind === 'listener' ? { transport: definition.transport } : {}),
    ...(kind === 'transform' ? { ports: [...definition.ports] } : {}),
    options: describeOptions(options).map(optionOf),
    schema: { ...optionJsonSchema(options) },
    metrics: metrics.map(({ name, kind: metricKind, help, labels = [] }) => ({
      name,
      kind: metricKind,
      help,
      labels: [...labels],
    })),
    examples: examples.map(({ title, yaml }) => ({ title, yaml })),
  }
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
