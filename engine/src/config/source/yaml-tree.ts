// The document as values with places: interpolated, aliases and merge keys resolved, keys as text. Maps are Maps, so
// that no key of a file can reach a prototype.
import type { Place } from '../report/diagnostic.js'
import type { Pattern } from './interpolate.js'

export type YamlValue = YamlScalar | YamlList | YamlMap

export interface YamlScalar {
  readonly kind: 'scalar'
  readonly place: Place
  readonly value: string | number | boolean | null
  /** A variable in it could not be filled in; it is not checked further. */
  readonly unresolved: boolean
  /** How a number is written in the file. */
  readonly source?: string
  /** It contains parameters of a template, which the use of the template fills in; until then it is unresolved. */
  readonly pattern?: Pattern
}

interface YamlList {
  readonly kind: 'list'
  readonly place: Place
  readonly items: readonly YamlValue[]
}

export interface YamlMap {
  readonly kind: 'map'
  readonly place: Place
  readonly entries: ReadonlyMap<string, YamlEntry>
}

export interface YamlEntry {
  readonly key: Place
  readonly value: YamlValue
}

/** The value as plain objects and lists, for a schema, without the entries named in `without`. */
export function plainOf(value: YamlValue, without: readonly string[] = []): unknown {
  if (value.kind === 'scalar') return value.value
  if (value.kind === 'list') return value.items.map((item) => plainOf(item))
  const entries = [...value.entries].filter(([key]) => !without.includes(key))
  return Object.fromEntries(entries.map(([key, entry]) => [key, plainOf(entry.value)]))
}

export interface Located {
  /** What to underline: the value if it is a scalar, else its key. */
  readonly place: Place
  /** The value at the path, or the last existing one on the way to it. */
  readonly value: YamlValue
  readonly isThere: boolean
}

/** Finds the value at a path; `at` is what to underline for the root. */
export function locate(root: YamlValue, path: readonly PropertyKey[], at: Place): Located {
  let value = root
  let place = at
  for (const step of path) {
    const next = stepInto(value, step)
    if (next === undefined) return { place, value, isThere: false }
    value = next.value
    place = value.kind === 'scalar' && value.value !== null ? value.place : (next.key ?? value.place)
  }
  return { place, value, isThere: true }
}

/** What to underline for an entry. */
export function placeOf(entry: YamlEntry): Place {
  return entry.value.kind === 'scalar' && entry.value.value !== null ? entry.value.place : entry.key
}

/** Whether it is null, or nothing follows the key. */
export function isNull(value: YamlValue): boolean {
  return value.kind === 'scalar' && value.value === null && !value.unresolved
}

/** Whether a value, or any value in it, could not be filled in. */
export function hasUnresolved(value: YamlValue): boolean {
  if (value.kind === 'scalar') return value.unresolved
  if (value.kind === 'list') return value.items.some((item) => hasUnresolved(item))
  return [...value.entries.values()].some((entry) => hasUnresolved(entry.value))
}

function stepInto(value: YamlValue, step: PropertyKey): { key?: Place; value: YamlValue } | undefined {
  if (value.kind === 'map') return value.entries.get(String(step))
  const item = value.kind === 'list' ? value.items[Number(step)] : undefined
  return item === undefined ? undefined : { value: item }
}
