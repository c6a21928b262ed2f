// The JSON Schema (draft-07) of a configuration file, for editors: the sections of the engine and the nodes of the
// plugins that are described. By the `type` of a node its options are chosen (if/then), so that completion offers just
// those, and an error speaks of one type and not of all.
import { AUTH_SCHEMAS } from '../access/auth-schema.js'
import { NODE_KINDS, type NodeKind } from '../plugin/node-kinds.js'
import type { DescribedDefinition } from '../plugin/manifest.js'
import { INTERPOLATED_TEXT, optionJsonSchema } from '../plugin/option-json-schema.js'
import type { JsonSchema } from '../plugin/option-json-schema.js'
import { PARAMETER_NAME } from './source/interpolate.js'
import { INPUT_SCHEMA } from './section/engine-keys.js'
import { ENGINE_SCHEMA, LISTENER_SCHEMA } from './section/settings.js'

const ID = '^[a-z][a-z0-9-]*$'
const REFERENCE = '^[a-z][a-z0-9-]*(\\.[a-z0-9][a-z0-9-]*)?$|\\$\\{'
const CONDITION = ['if', 'then', 'else'] as const

/** Files that the schema is for begin with this line. */
export function editorLine(schemaPath: string): string {
  return `# yaml-language-server: $schema=${schemaPath}`
}

/** The whole schema. */
export function editorSchema(definitions: readonly DescribedDefinition[]): JsonSchema {
  const nodes = NODE_KINDS.map((kind) => [kind, nodeOf(kind, ofKind(definitions, kind))] as const)
  const types = definitions.map((definition) => [typeName(definition), optionsOf(definition)] as const)
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Millrace pipelines',
    // An included file needs no version, and has this schema too.
    ...closed(rootSections(definitions)),
    definitions: Object.fromEntries([...nodes, ...types]),
  }
}

function rootSections(definitions: readonly DescribedDefinition[]): Readonly<Record<string, JsonSchema>> {
  return {
    version: { const: 1, description: 'Version of the format of this file.' },
    include: {
      description: 'Files that belong to this one, relative to its folder; a * in a name stands for any characters.',
      type: 'array',
      items: { type: 'string', minLength: 1 },
    },
    engine: { description: 'Settings of the process.', ...optionJsonSchema(ENGINE_SCHEMA) },
    listeners: named('Sockets, shared by the nodes that name them. The listener api is always there.', {
      ...optionJsonSchema(LISTENER_SCHEMA),
    }),
    auth: named('Who may watch; an output names the providers by which it lets viewers in.', providerOf()),
    secrets: named('Values that are never shown; used as ${secret:name}.', secretOf()),
    defaults: {
      description: 'Options of nodes that do not say them, by section and type.',
      ...defaultsOf(definitions),
    },
    services: named('What works beside the pipelines.', ref('service')),
    plugins: {
      description: 'Plugins beside those that package.json names: packages, or paths that begin with ./',
      type: 'array',
      items: { type: 'string', minLength: 1 },
    },
    templates: named('Pipelines with parameters, ${param:name} in their texts.', templateOf()),
    pipelines: named('Graphs of inputs, transforms and outputs.', pipelineOf()),
  }
}

function pipelineOf(): JsonSchema {
  const template = { type: 'string', minLength: 1, description: 'The template that it begins with.' }
  const given = { type: 'object', description: 'Values of the parameters of the template.' }
  // Laid over a template, a node need not be whole, and null takes it away.
  const part = { type: ['object', 'null'] }
  const over = closed({ template, with: given, ...sectionsOf(part, part, part) }, ['template'])
  const whole = closed(sectionsOf(ref('input'), ref('transform'), ref('output')))
  return { type: 'object', ...when({ required: ['template'] }, over, whole) }
}

function templateOf(): JsonSchema {
  const parameters = {
    description: 'What a pipeline gives: {} for what it must, else a default.',
    type: 'object',
    propertyNames: { pattern: PARAMETER_NAME.source },
  }
  return closed({ parameters, ...sectionsOf(ref('input'), ref('transform'), ref('output')) })
}

function sectionsOf(
  input: JsonSchema,
  transform: JsonSchema,
  output: JsonSchema,
): Readonly<Record<string, JsonSchema>> {
  return {
    description: { type: 'string', description: 'What it is for, shown in status.' },
    inputs: named('Where streams come from.', input),
    transforms: named('What changes or watches streams on their way.', transform),
    outputs: named('Where streams go to.', output),
  }
}

/** A provider of access: `type`, and by it the rest. */
function providerOf(): JsonSchema {
  const types = Object.entries(AUTH_SCHEMAS)
  return {
    type: 'object',
    required: ['type'],
    properties: { type: { description: 'How it decides.', enum: types.map(([type]) => type) } },
    allOf: types.map(([type, options]) => {
      const { properties = {}, ...rest } = optionJsonSchema(options)
      const own = { type: { const: type }, ...(properties as object) }
      return whenType(type, { ...rest, properties: own })
    }),
  }
}

function secretOf(): JsonSchema {
  return closed({
    env: { type: 'string', minLength: 1, description: 'Name of the environment variable that holds it.' },
    file: { type: 'string', minLength: 1, description: 'File that holds it, relative to the folder of this file.' },
  })
}

function defaultsOf(definitions: readonly DescribedDefinition[]): JsonSchema {
  const sections = NODE_KINDS.map((kind) => {
    const types = ofKind(definitions, kind).map(({ type, summary, schema }) => {
      const { required: _, ...rest } = schema
      return [type, { description: summary, ...rest }] as const
    })
    return [`${kind}s`, closed(Object.fromEntries(types))] as const
  })
  return closed(Object.fromEntries(sections))
}

/** A node of a kind: `type`, and by it the rest. */
function nodeOf(kind: NodeKind, definitions: readonly DescribedDefinition[]): JsonSchema {
  const types = definitions.map(({ type }) => type)
  const summaries = definitions.map(({ summary }) => summary)
  const words = { enum: types, enumDescriptions: summaries, markdownEnumDescriptions: summaries }
  return {
    type: 'object',
    required: ['type'],
    properties: { type: { description: `What the ${kind} is.`, anyOf: [words, INTERPOLATED_TEXT] } },
    // An editor that has seen no type yet is to offer types, not the options of all of them.
    allOf: definitions.map((definition) => whenType(definition.type, ref(typeName(definition)))),
  }
}

/** What holds where `type` is this. */
function whenType(type: string, schema: JsonSchema): JsonSchema {
  return when({ properties: { type: { const: type } }, required: ['type'] }, schema)
}

function when(...parts: readonly JsonSchema[]): JsonSchema {
  return Object.fromEntries(parts.map((part, index) => [CONDITION[index], part]))
}

function optionsOf(definition: DescribedDefinition): JsonSchema {
  const { type, kind, summary, schema } = definition
  const { properties = {}, required = [], ...rest } = schema
  const own = engineKeys(definition)
  const needs = kind === 'transform' || kind === 'output' ? ['type', 'from'] : ['type']
  const known = { type: { const: type, description: summary }, ...own, ...(properties as object) }
  const all = [...needs, ...(required as readonly string[])]
  // Options that are no single object (a union) keep their own form beside the keys of the engine.
  if (!('properties' in schema)) return { title: `${kind} ${type}`, type: 'object', properties: known, required: needs }
  return { title: `${kind} ${type}`, ...rest, type: 'object', description: summary, properties: known, required: all }
}

/** The keys that the engine reads, beside `type`. */
function engineKeys({ kind, inlets, consumes = [] }: DescribedDefinition): Readonly<Record<string, JsonSchema>> {
  const { properties } = optionJsonSchema(INPUT_SCHEMA) as { readonly properties: Readonly<Record<string, JsonSchema>> }
  const { description = {}, was = {}, timeline = {}, batch = {} } = properties
  if (kind === 'input') return { description, was, timeline, batch }
  if (kind === 'service') return { description, was }
  const one = { type: 'string', pattern: REFERENCE, patternErrorMessage: 'must be an id, or id.port' }
  const form = inlets === 'many' ? { anyOf: [one, { type: 'array', items: one, minItems: 1 }] } : one
  const from = { description: `What it reads: an id, or id.port, that gives ${consumes.join(' or ')}.`, ...form }
  return { from, description, was }
}

function ofKind(definitions: readonly DescribedDefinition[], kind: NodeKind): readonly DescribedDefinition[] {
  return definitions.filter((definition) => definition.kind === kind)
}

function named(description: string, entry: JsonSchema): JsonSchema {
  return { description, type: 'object', propertyNames: { pattern: ID }, additionalProperties: entry }
}

function closed(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): JsonSchema {
  const needs = required.length === 0 ? {} : { required }
  return { type: 'object', properties, ...needs, additionalProperties: false }
}

function ref(name: string): JsonSchema {
  return { $ref: `#/definitions/${name}` }
}

function typeName({ kind, type }: DescribedDefinition): string {
  return `${kind}.${type}`
}
