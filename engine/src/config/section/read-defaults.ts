// The section `defaults:`: options that all nodes of a type have unless they say otherwise. What is wrong with a default
// is reported once, where it stands, whether or not a node uses it.
import type { Definition, NodeKind } from '../../plugin/contract.js'
import { coreOf, defOf, schemaAt } from '../../plugin/option-kind.js'
import type { Registry } from '../../plugin/registry.js'
import { checkOptions } from './check-options.js'
import { positionOf } from '../report/diagnostic.js'
import type { Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import { ENGINE_OPTIONS, INPUT_SCHEMA, NOT_DEFAULTED } from './engine-keys.js'
import { checkKeys, mapOf } from '../source/read-section.js'
import type { YamlEntry, YamlMap } from '../source/yaml-tree.js'
import { SECTION_OF } from '../../plugin/node-kinds.js'

export class Defaults {
  readonly #found = new Map<string, YamlEntry>()

  /** Takes the default if there is none yet; else returns the one that there is. */
  add(kind: NodeKind, type: string, entry: YamlEntry): YamlEntry | undefined {
    const key = `${kind}/${type}`
    const present = this.#found.get(key)
    if (present === undefined) this.#found.set(key, entry)
    return present
  }

  /** The options of a node with the defaults of its type under them, group by group. */
  under(map: YamlMap, definition: Definition | undefined): YamlMap {
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
    const help = didYouMean(type, registry.types(kind), `known types of ${SECTION_OF[kind]}`)
    problems.report('CONFIG_UNKNOWN_TYPE', entry.key, `there is no ${kind} of type "${type}"`, { help })
    return
  }
  const title = `the default of ${kind} type "${type}"`
  const map = mapOf(entry, title, problems)
  if (map === undefined) return
  const first = defaults.add(kind, type, entry)
  if (first !== undefined) {
    const { file, line, column } = positionOf(first.key)
    const message = `${title} is there already, at ${file}:${line}:${column}`
    problems.report('CONFIG_DUPLICATE_ID', entry.key, message, { help: 'keep one of them' })
  }
  checkDefaults(definition, map, entry, title, problems)
}

// What a node must have may be missing here; it is missed at the node.
function checkDefaults(
  definition: Definition,
  map: YamlMap,
  entry: YamlEntry,
  title: string,
  problems: Problems,
): void {
  const engineOptions = definition.kind === 'input' ? ENGINE_OPTIONS : []
  for (const key of NOT_DEFAULTED) {
    const at = map.entries.get(key)?.key
    const help = 'say it at each node'
    if (at !== undefined) problems.report('CONFIG_UNKNOWN_KEY', at, `"${key}" has no default`, { help })
  }
  const shared = { map, place: entry.key, title, folder: '', isPartial: true }
  checkOptions({ ...shared, schema: definition.options, otherKeys: [...engineOptions, ...NOT_DEFAULTED] }, problems)
  if (engineOptions.length === 0) return
  const foreign = [...map.entries.keys()].filter((key) => !engineOptions.includes(key))
  checkOptions({ ...shared, schema: INPUT_SCHEMA, otherKeys: foreign }, problems)
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

// Of alternatives (a union) half of one and half of another would be neither: there the node's own stands alone.
function isGroup(definition: Definition, path: readonly string[]): boolean {
  const schema = schemaAt(definition.options, path)
  return schema !== undefined && ['object', 'record'].includes(defOf(coreOf(schema)).type)
}
