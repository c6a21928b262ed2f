// One node of a section: its type, the keys that the engine reads, and the options that its definition reads.
import { dirname } from 'node:path'
import type { z } from 'zod'
import type { Definition, NodeKind } from '../../plugin/contract.js'
import type { Registry } from '../../plugin/registry.js'
import { checkOptions } from './check-options.js'
import type { CheckedOptions } from './check-options.js'
import { checkStreams } from './check-streams.js'
import type { Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import { titleOf } from './draft-node.js'
import type { DraftNode, Reference } from './draft-node.js'
import { engineOptionsOf, inputSchemaOf, NODE_SCHEMA } from './engine-keys.js'
import type { PUBLISHING_SCHEMA } from './engine-keys.js'
import { publishSettings } from './publish-settings.js'
import { recorderSettings } from './recorder-settings.js'
import type { Defaults } from './read-defaults.js'
import { portsOf } from './read-ports.js'
import { mapOf, textOf } from '../source/read-section.js'
import { hasUnresolved, placeOf } from '../source/yaml-tree.js'
import type { YamlEntry, YamlMap, YamlValue } from '../source/yaml-tree.js'
import { type DefinitionKind, sectionOf } from '../../plugin/node-kinds.js'

export interface NodeRequest {
  readonly kind: NodeKind
  readonly name: string
  /** The name of the pipeline, or `services`. */
  readonly owner: string
  readonly entry: YamlEntry
}

/** Inputs that the readers of every section share. */
export interface NodeSources {
  readonly registry: Registry
  readonly defaults: Defaults
  readonly problems: Problems
}

const NOTHING = { options: undefined, ok: false } as const

/** Reads a node as far as possible; undefined if it is not a map. */
export function readNode(request: NodeRequest, sources: NodeSources): DraftNode | undefined {
  const { kind, name, owner, entry } = request
  const { registry, defaults, problems } = sources
  const title = titleOf(kind, name)
  const own = mapOf(entry, title, problems)
  if (own === undefined) return undefined
  const definition = findDefinition(kind, title, own, entry, registry, problems)
  const map = defaults.applyTo(own, definition)
  const engineKeys = engineKeysOf(kind, definition)
  const folder = dirname(entry.key.file.path)
  const asked = { map, otherKeys: engineKeys, place: entry.key, title, folder }
  const checked =
    definition === undefined
      ? { ...NOTHING, unknown: false, listeners: [], auth: [] }
      : knownOptions(map, engineKeys, checkOptions({ schema: definition.options, ...asked }, problems))
  const { key: place } = entry
  const engine = checkOwnKeys({ request, definition, map, engineKeys, title }, problems)
  const node: DraftNode = {
    id: `${owner}/${name}`,
    name,
    kind,
    place,
    definition,
    ...checked,
    ports: portsOf({ definition, ...checked, title, place }, registry, problems),
    ...readFrom(kind, title, map, entry, problems),
    ...engine,
    auth: [...checked.auth, ...engine.auth],
    pattern: undefined,
  }
  checkStreams(node, map, problems)
  return node
}

/** Part of a text is no value: two paths that differ in what is unknown are not the same. */
function knownOptions({ entries }: YamlMap, engineKeys: readonly string[], checked: CheckedOptions): CheckedOptions {
  const isUnknown = [...entries].some(([key, { value }]) => !engineKeys.includes(key) && hasUnresolved(value))
  return checked.ok && isUnknown ? { ...checked, ...NOTHING, unknown: true } : checked
}

function engineKeysOf(kind: NodeKind, definition: Definition | undefined): readonly string[] {
  if (kind === 'input') return ['type', 'description', 'was', ...engineOptionsOf(definition)]
  return kind === 'service' ? ['type', 'description', 'was'] : ['type', 'description', 'was', 'from']
}

interface OwnKeys {
  readonly request: NodeRequest
  readonly definition: Definition | undefined
  readonly map: YamlMap
  readonly engineKeys: readonly string[]
  readonly title: string
}

type OwnSettings = Pick<
  DraftNode,
  'description' | 'was' | 'timeline' | 'batchMs' | 'probeMs' | 'maxBytesPerS' | 'recorder' | 'publish' | 'auth'
>

function checkOwnKeys({ request, definition, map, engineKeys, title }: OwnKeys, problems: Problems): OwnSettings {
  const schema = request.kind === 'input' ? inputSchemaOf(definition) : NODE_SCHEMA
  const foreign = [...map.entries.keys()].filter((key) => key === 'type' || key === 'from' || !engineKeys.includes(key))
  const { key: place } = request.entry
  const { options, auth } = checkOptions({ schema, map, otherKeys: foreign, place, title, folder: '' }, problems)
  const given = (options ?? {}) as Partial<z.output<typeof PUBLISHING_SCHEMA>>
  const { description = '', was, timeline = 'continuous', batch = 0, probe = 0, maxRate, recorder } = given
  const written = map.entries.get('was')
  const before = was === undefined || written === undefined ? undefined : { name: was, place: placeOf(written) }
  const maxBytesPerS = maxRate === undefined ? undefined : maxRate / 8
  const records = recorder === undefined ? undefined : recorderSettings(recorder)
  const limits = { batchMs: batch, probeMs: probe, maxBytesPerS, recorder: records }
  return { description, was: before, timeline, ...limits, publish: publishSettings(given), auth }
}

function findDefinition(
  kind: NodeKind,
  title: string,
  map: YamlMap,
  entry: YamlEntry,
  registry: Registry,
  problems: Problems,
): Definition | undefined {
  const typeEntry = map.entries.get('type')
  if (typeEntry === undefined) {
    const help = didYouMean('', registry.types(kind), `known ${kind} types`)
    problems.report('CONFIG_MISSING_KEY', entry.key, `${title} needs "type"`, { help })
    return undefined
  }
  const place = placeOf(typeEntry)
  const type = textOf(typeEntry.value, place, `"type" of ${title}`, problems)
  if (type === undefined) return undefined
  const definition = registry.find(kind, type)
  if (definition === undefined) {
    const help = helpForType(kind, type, registry)
    problems.report('CONFIG_UNKNOWN_TYPE', place, `there is no ${kind} of type "${type}"`, { help })
  }
  return definition
}

function helpForType(kind: NodeKind, type: string, registry: Registry): string | undefined {
  const elsewhere = registry.all().find(({ definition }) => definition.type === type)
  if (elsewhere !== undefined) {
    const other = elsewhere.definition.kind
    return `"${type}" is ${article(other)} ${other}: it belongs under ${sectionOf(other)}`
  }
  return didYouMean(type, registry.types(kind), `known ${kind} types`)
}

function readFrom(
  kind: NodeKind,
  title: string,
  map: YamlMap,
  entry: YamlEntry,
  problems: Problems,
): Pick<DraftNode, 'from' | 'fromIsList'> {
  if (kind === 'input' || kind === 'service') return { from: [], fromIsList: false }
  const from = map.entries.get('from')
  const items = from === undefined ? [] : itemsOf(from.value)
  if (items.length === 0) {
    const help = 'add from: with the id of an input or a transform of this pipeline'
    const place = from?.key ?? entry.key
    problems.report('CONFIG_MISSING_KEY', place, `${title} needs "from", the node that it reads`, { help })
  }
  const fromIsList = from?.value.kind === 'list'
  const references = new Map<string, Reference>()
  for (const item of items) {
    const place = from === undefined || item.kind === 'scalar' ? item.place : from.key
    const text = textOf(item, place, `"from" of ${title}`, problems)
    if (text === undefined) continue
    if (!references.has(text)) references.set(text, { text, place })
    else problems.report('CONFIG_WRONG_VALUE', place, `${title} names "${text}" twice`, { help: 'name it once' })
  }
  return { from: [...references.values()], fromIsList }
}

function itemsOf(value: YamlValue): readonly YamlValue[] {
  if (value.kind === 'list') return value.items
  return value.kind === 'scalar' && value.value === null && !value.unresolved ? [] : [value]
}

function article(kind: DefinitionKind): string {
  return kind === 'input' || kind === 'output' || kind === 'auth' ? 'an' : 'a'
}
