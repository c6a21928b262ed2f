// Small readers that all sections share: maps with known keys, ids, texts.
import { PIPELINE_KINDS, SECTION_OF } from '../../plugin/node-kinds.js'
import { positionOf } from '../report/diagnostic.js'
import type { Place, Problems } from '../report/diagnostic.js'
import { didYouMean } from '../report/did-you-mean.js'
import { placeOf } from './yaml-tree.js'
import type { YamlEntry, YamlMap, YamlValue } from './yaml-tree.js'

/** The keys that a pipeline can have without a template. */
export const PIPELINE_KEYS: readonly string[] = ['description', ...PIPELINE_KINDS.map((kind) => SECTION_OF[kind])]

const ID = /^[a-z][a-z0-9-]*$/
const LONGEST_ID = 64

/** The map of an entry; empty if nothing follows its key; undefined (reported) if it is something else. */
export function mapOf(entry: YamlEntry, title: string, problems: Problems): YamlMap | undefined {
  const { value, key } = entry
  if (value.kind === 'map') return value
  if (value.kind === 'scalar' && value.unresolved) return undefined
  if (value.kind === 'scalar' && value.value === null) return { kind: 'map', place: key, entries: new Map() }
  const help = 'write its entries below it, indented, as key: value'
  problems.report('CONFIG_WRONG_TYPE', placeOf(entry), `${title} must be a map`, { help })
  return undefined
}

/** Reports unknown keys. */
export function checkKeys(map: YamlMap, known: readonly string[], title: string, problems: Problems): void {
  for (const [name, { key }] of map.entries) {
    if (known.includes(name)) continue
    const help = didYouMean(name, known, 'known keys')
    problems.report('CONFIG_UNKNOWN_KEY', key, `${title} has no key "${name}"`, { help })
  }
}

/** Whether a name is a valid id; reports it if not. */
export function checkId(name: string, place: Place, problems: Problems): boolean {
  if (ID.test(name) && name.length <= LONGEST_ID) return true
  const suggestion = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, LONGEST_ID)
  const help = ID.test(suggestion) ? `for example "${suggestion}": lowercase letters, digits and hyphens` : undefined
  problems.report('CONFIG_BAD_ID', place, `"${name.slice(0, LONGEST_ID)}" is not a valid id`, { help })
  return false
}

/** The text of an entry; undefined if it is something else, which is reported unless it is unresolved. */
export function textOf(value: YamlValue, place: Place, title: string, problems: Problems): string | undefined {
  if (value.kind === 'scalar') {
    if (value.unresolved) return undefined
    if (typeof value.value === 'string' && value.value !== '') return value.value
  }
  problems.report('CONFIG_WRONG_TYPE', place, `${title} must be non-empty text`, {
    help: 'put it in double quotes if it is a number or contains special characters',
  })
  return undefined
}

/** The entries of a section in all files, with valid names, each name once. */
export function namedEntries(
  entries: readonly YamlEntry[],
  section: string,
  what: string,
  problems: Problems,
): readonly (readonly [name: string, entry: YamlEntry])[] {
  const found = new Map<string, YamlEntry>()
  for (const sectionEntry of entries) {
    const map = mapOf(sectionEntry, `"${section}"`, problems)
    for (const [name, entry] of map?.entries ?? []) {
      if (!checkId(name, entry.key, problems)) continue
      const first = found.get(name)
      if (first === undefined) found.set(name, entry)
      else reportDuplicate(`${what} "${name}"`, entry.key, first.key, problems)
    }
  }
  return [...found]
}

export function reportDuplicate(what: string, place: Place, first: Place, problems: Problems): void {
  const { file, line, column } = positionOf(first)
  const message = `${what} has an id that is already used at ${file}:${line}:${column}`
  problems.report('CONFIG_DUPLICATE_ID', place, message)
}
