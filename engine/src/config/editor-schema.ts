// The JSON Schema (draft-07) of a configuration file, for editors: the sections of the engine and the nodes of the
// described plugins. The `type` of a node selects its options (if/then), so that completion offers only those and an
// error concerns one type rather than all of them.
import { AUTH_SCHEMAS, PROVIDER_SCHEMA } from '../access/auth-schema.js'
import { type DefinitionKind, NODE_KINDS, type NodeKind } from '../plugin/node-kinds.js'
import type { DescribedDefinition } from '../plugin/manifest.js'
import { INTERPOLATED_TEXT, optionJsonSchema } from '../plugin/option-json-schema.js'
import type { JsonSchema } from '../plugin/option-json-schema.js'
import { PARAMETER_NAME } from './source/interpolate.js'
import { INPUT_SCHEMA, PUBLISHED_SCHEMA } from './section/engine-keys.js'
import { listenerSchema } from './section/listener-schema.js'
import { ENGINE_SCHEMA } from './section/settings.js'

const ID = '^[a-z][a-z0-9-]*$'
const REFERENCE = '^[a-z][a-z0-9-]*(\\.[a-z0-9][a-z0-9-]*)?$|\\$\\{'
const CONDITION = ['if', 'then', 'else'] as const

/** The first line of a file that uses the schema. */
export function editorLine(schemaPath: string): string {
  return `# yaml-language-server: $schema=${schemaPath}`
}

/** The whole schema. */
export function editorSchema(definitions: readonly DescribedDefinition[]): JsonSchema {
  const kinds = NODE_KINDS.filter((kind) => kind !== 'listener')
  const nodes = kinds.map((kind) => [kind, nodeOf(kind, ofKind(definitions, kind))] as const)
  const types = definitions
    .filter(({ kind }) => kind !== 'listener' && kind !== 'auth')
    .map((definition) => [typeName(definition), optionsOf(definition)] as const)
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Millrace pipelines',
    // Included files use this schema too, and need no version.
    ...closed(rootSections(definitions)),
    definitions: Object.fromEntries([...nodes, ...types]),
  }
}

function rootSections(definitions: readonly DescribedDefinition[]): Readonly<Record<string, JsonSchema>> {
  return {
    version: { const: 1, description: 'Version of the configuration format.' },
    include: {
      description:
        'Further files to load, relative to the folder of this one; a * in a file name matches any characters.',
      type: 'array',
      items: { type: 'string', minLength: 1 },
    },
    engine: { description: 'Settings of the engine process.', ...optionJsonSchema(ENGINE_SCHEMA) },
    listeners: named(
      'Sockets, shared by the nodes that name them. The listener api always exists.',
      listenerOf(ofKind(definitions, 'listener')),
    ),
    auth: named(
      'Auth providers: who may watch or publish. A node names the providers that it uses.',
      providerOf(ofKind(definitions, 'auth')),
    ),
    secrets: named('Values that are never shown; use them as ${secret:name}.', secretOf()),
    defaults: {
      description: 'Default options of nodes, by section and type.',
      ...defaultsOf(definitions),
    },
    services: named('Nodes that run alongside the pipelines.', ref('service')),
    plugins: {
      description: 'Plugins in addition to those in package.json: package names, or paths that begin with ./',
      type: 'array',
      items: { type: 'string', minLength: 1 },
    },
    templates: named('Pipelines with parameters, which their texts use as ${param:name}.', templateOf()),
    pipelines: named('Graphs of inputs, transforms and outputs.', pipelineOf()),
  }
}

function pipelineOf(): JsonSchema {
  const template = { type: 'string', minLength: 1, description: 'The template that the pipeline is based on.' }
  const given = { type: 'object', description: 'Values for the parameters of the template.' }
  // On top of a template, a node can be partial, and null removes it.
  const part = { type: ['object', 'null'] }
  const over = closed({ template, with: given, ...sectionsOf(part, part, part) }, ['template'])
  const whole = closed(sectionsOf(ref('input'), ref('transform'), ref('output')))
  return { type: 'object', ...when({ required: ['template'] }, over, whole) }
}

function templateOf(): JsonSchema {
  const parameters = {
    description: 'Parameters that a pipeline sets: {} if required, otherwise the default.',
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
    description: { type: 'string', description: 'What it is for; shown in status.' },
    inputs: named('Where streams come from.', input),
    transforms: named('What changes or checks streams on their way.', transform),
    outputs: named('Where streams go.', output),
  }
}

/** A listener: `protocol`, which selects the other keys; by default `http`. */
function listenerOf(definitions: readonly DescribedDefinition[]): JsonSchema {
  const http = optionJsonSchema(listenerSchema('http'))
  if (definitions.length === 0) return { ...http }
  const protocols = definitions.map(({ type }) => type)
  const summaries = ['HTTP, by the engine itself.', ...definitions.map(({ summary }) => summary)]
  const words = { enum: ['http', ...protocols], enumDescriptions: summaries, markdownEnumDescriptions: summaries }
  const protocol = { description: 'Protocol of the listener.', default: 'http', anyOf: [words, INTERPOLATED_TEXT] }
  const isPlugin = { properties: { protocol: { enum: protocols } }, required: ['protocol'] }
  return {
    type: 'object',
    properties: { protocol },
    allOf: [
      ...definitions.map((definition) => when(isProtocol(definition.type), pluginListenerOf(definition))),
      { ...when(isPlugin, {}), else: http },
    ],
  }
}

function isProtocol(protocol: string): JsonSchema {
  return { properties: { protocol: { const: protocol } }, required: ['protocol'] }
}

function pluginListenerOf({ type, transport = 'tcp', schema, summary }: DescribedDefinition): JsonSchema {
  const socket = optionJsonSchema(listenerSchema(type, transport))
  const { properties: own = {}, required: ownNeeds = [], ...rest } = schema
  const { properties: shared = {}, required: needs = [] } = socket
  const all = { ...(shared as object), ...(own as object), protocol: { const: type, description: summary } }
  return { ...rest, type: 'object', properties: all, required: [...(needs as string[]), ...(ownNeeds as string[])] }
}

/** An auth provider: `type`, which selects the other keys. */
function providerOf(definitions: readonly DescribedDefinition[]): JsonSchema {
  const types: readonly (readonly [string, JsonSchema])[] = [
    ...Object.entries(AUTH_SCHEMAS).map(([type, options]) => [type, optionJsonSchema(options)] as const),
    ...definitions.map(({ type, schema }) => [type, schema] as const),
  ]
  const { properties: scope } = optionJsonSchema(PROVIDER_SCHEMA) as { readonly properties: object }
  return {
    type: 'object',
    required: ['type'],
    properties: { type: { description: 'How the provider decides.', enum: types.map(([type]) => type) } },
    allOf: types.map(([type, options]) => {
      const { properties = {}, ...rest } = options
      const own = { type: { const: type }, ...scope, ...(properties as object) }
      return whenType(type, { ...rest, properties: own })
    }),
  }
}

function secretOf(): JsonSchema {
  return closed({
    env: { type: 'string', minLength: 1, description: 'Environment variable that holds the secret.' },
    file: {
      type: 'string',
      minLength: 1,
      description: 'File that holds the secret, relative to the folder of this file.',
    },
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

/** A node of one kind: `type`, which selects the other keys. */
function nodeOf(kind: NodeKind, definitions: readonly DescribedDefinition[]): JsonSchema {
  const types = definitions.map(({ type }) => type)
  const summaries = definitions.map(({ summary }) => summary)
  const words = { enum: types, enumDescriptions: summaries, markdownEnumDescriptions: summaries }
  return {
    type: 'object',
    required: ['type'],
    properties: { type: { description: `Type of the ${kind}.`, anyOf: [words, INTERPOLATED_TEXT] } },
    // Until a type is written, editors should offer types, not the options of all types.
    allOf: definitions.map((definition) => whenType(definition.type, ref(typeName(definition)))),
  }
}

/** Applies the schema where `type` has this value. */
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
  // Options that are not a single object (a union) are not checked here; only the engine's keys are described.
  if (!('properties' in schema)) return { title: `${kind} ${type}`, type: 'object', properties: known, required: needs }
  return { title: `${kind} ${type}`, ...rest, type: 'object', description: summary, properties: known, required: all }
}

/** The keys that the engine reads, in addition to `type`. */
function engineKeys({
  kind,
  inlets,
  publishers = false,
  consumes = [],
}: DescribedDefinition): Readonly<Record<string, JsonSchema>> {
  const {
    description = {},
    was = {},
    timeline = {},
    batch = {},
    maxRate = {},
    recorder = {},
  } = propertiesOf(INPUT_SCHEMA)
  if (kind === 'input' && publishers)
    return { ...propertiesOf(PUBLISHED_SCHEMA), description, was, timeline, batch, maxRate, recorder }
  if (kind === 'input') return { description, was, timeline, batch, maxRate, recorder }
  if (kind === 'service') return { description, was }
  const one = { type: 'string', pattern: REFERENCE, patternErrorMessage: 'must be an id or id.port' }
  const form = inlets === 'many' ? { anyOf: [one, { type: 'array', items: one, minItems: 1 }] } : one
  const from = {
    description: `The node to read from, as id or id.port; it must produce ${consumes.join(' or ')}.`,
    ...form,
  }
  return { from, description, was }
}

function propertiesOf(schema: Parameters<typeof optionJsonSchema>[0]): Readonly<Record<string, JsonSchema>> {
  const { properties = {} } = optionJsonSchema(schema) as { readonly properties?: Readonly<Record<string, JsonSchema>> }
  return properties
}

function ofKind(definitions: readonly DescribedDefinition[], kind: DefinitionKind): readonly DescribedDefinition[] {
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
