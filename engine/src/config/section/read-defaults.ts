// The section `defaults:`: options of all nodes of a type, unless a node sets its own. A mistake in a default is
// reported once, where it is written, whether or not a node uses it.
import type { Definition, NodeKind } from '../../plugin/contract.js'
import { coreOf, defOf, schemaAt } from '../../plugin/option-kind.js'
import type { Registry } from '../../plugin/registry.js'
import { checkOptions } from './check-options.js'
import { positionOf } from '../report/diagnostic.js'
import type { Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import { engineOptionsOf, inputSchemaOf, NOT_DEFAULTED } from './engine-keys.js'
import { checkKeys, mapOf } from '../source/read-section.js'
import type { YamlEntry, YamlMap } from '../source/yaml-tree.js'
import { SECTION_OF } from '../../plugin/node-kinds.js'

export class Defaults {
  readonly #found = new Map<string, YamlEntry>()

  /** Adds the default unless the type has one already, which is then returned. */
  add(kind: NodeKind, type: string, entry: YamlEntry): YamlEntry | undefined {
    const key = `${kind}/${type}`
    const present = this.#found.get(key)
    if (present === undefined) this.#found.set(key, entry)
    return present
  }

  /** The options of a node merged over the defaults of its type, group by group. */
  applyTo(map: YamlMap, definition: Definition | undefined): YamlMap {
    if (definition === undefined) return map
    const value = this.#found.get(`${definition.kind}/${definition.type}`)?.value
    return value?.kind === 'map' ? merge(map, value, definition, []) : map
  }
}

/** Reads the defaults of all files. */
export function readDefaults(sections: readonly YamlEntry[], registry: Registry, problems: Problems): Defaults {
  const defaults = new Defaults()
  for (const section of sections) {
    const map = mapOf(section, '"defaults"', problems)
    if (map === undefined) continue
    checkKeys(map, Object.values(SECTION_OF), '"defaults"', problems)
    for (const [kind, name] of Object.entries(SECTION_OF) as readonly [NodeKind, string][]) {
      const kindEntry = map.entries.get(name)
      const types = kindEntry === undefined ? undefined : mapOf(kindEntry, `"${name}" of "defaults"`, problems)
      for (const [type, entry] of types?.entries ?? []) readType(kind, type, entry, defaults, registry, problems)
    }
  }
  return defaults
}

function readType(
  kind: NodeKind,
  type: string,
  entry: YamlEntry,
  defaults: Defaults,
  registry: Registry,
  problems: Problems,
): void {
  const definition = registry.find(kind, type)
  if (definition === undefined) {
    const help = didYouMean(type, registry.types(kind), `known ${kind} types`)
    problems.report('CONFIG_UNKNOWN_TYPE', entry.key, `there is no ${kind} of type "${type}"`, { help })
    return
  }
  const title = `the default for ${kind} type "${type}"`
  const map = mapOf(entry, title, problems)
  if (map === undefined) return
  const first = defaults.add(kind, type, entry)
  if (first !== undefined) {
    const { file, line, column } = positionOf(first.key)
    const message = `${title} is already set at ${file}:${line}:${column}`
    problems.report('CONFIG_DUPLICATE_ID', entry.key, message, { help: 'keep one of them' })
  }
  checkDefaults(definition, map, entry, title, problems)
}

// A required option may be missing here; it is reported at the node that lacks it.
function checkDefaults(
  definition: Definition,
  map: YamlMap,
  entry: YamlEntry,
  title: string,
  problems: Problems,
): void {
  const engineOptions = definition.kind === 'input' ? engineOptionsOf(definition) : []
  for (const key of NOT_DEFAULTED) {
    const at = map.entries.get(key)?.key
    const help = 'set it on each node'
    if (at !== undefined) problems.report('CONFIG_UNKNOWN_KEY', at, `"${key}" cannot have a default`, { help })
  }
  const shared = { map, place: entry.key, title, folder: '', isPartial: true }
  checkOptions({ ...shared, schema: definition.options, otherKeys: [...engineOptions, ...NOT_DEFAULTED] }, problems)
  if (engineOptions.length === 0) return
  const foreign = [...map.entries.keys()].filter((key) => !engineOptions.includes(key))
  checkOptions({ ...shared, schema: inputSchemaOf(definition), otherKeys: foreign }, problems)
}

function merge(own: YamlMap, under: YamlMap, definition: Definition, path: readonly string[]): YamlMap {
  const entries = new Map(own.entries)
  for (const [key, entry] of under.entries) {
    const present = entries.get(key)
    if (present === undefined) {
      if (path.length > 0 || !NOT_DEFAULTED.includes(key)) entries.set(key, entry)
      continue
    }
    if (present.value.kind !== 'map' || entry.value.kind !== 'map' || !isGroup(definition, [...path, key])) continue
    entries.set(key, { key: present.key, value: merge(present.value, entry.value, definition, [...path, key]) })
  }
  return { ...own, entries }
}

// In a union, half of one alternative and half of another would be neither, so the value of the node replaces the
// default as a whole.
function isGroup(definition: Definition, path: readonly string[]): boolean {
  const schema = schemaAt(definition.options, path)
  return schema !== undefined && ['object', 'record'].includes(defOf(coreOf(schema)).type)
}
