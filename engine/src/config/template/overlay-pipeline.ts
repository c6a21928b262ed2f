// Overlays a template with the other keys of a pipeline that uses it: maps are merged, any other value replaces that of
// the template, and null removes it.
import { isNull } from '../source/yaml-tree.js'
import type { YamlEntry, YamlMap } from '../source/yaml-tree.js'

/** Depths in a pipeline: sections contain nodes, and nodes contain options. */
const SECTIONS = 0
const NODES = 1

/** The resulting pipeline; the arguments are not changed. */
export function overlayPipeline(template: YamlMap, own: YamlMap): YamlMap {
  return overlay(template, own, SECTIONS)
}

function overlay(base: YamlMap, own: YamlMap, depth: number): YamlMap {
  const entries = new Map(base.entries)
  for (const [name, entry] of own.entries) {
    const before = entries.get(name)
    if (before === undefined) entries.set(name, entry)
    // An empty section changes nothing.
    else if (isNull(entry.value)) {
      if (depth !== SECTIONS) entries.delete(name)
    } else entries.set(name, overlaid(before, entry, depth))
  }
  return { ...own, entries }
}

function overlaid(before: YamlEntry, entry: YamlEntry, depth: number): YamlEntry {
  if (before.value.kind !== 'map' || entry.value.kind !== 'map') return entry
  // A node of another type does not inherit the options.
  if (depth === NODES && isOfAnotherType(before.value, entry.value)) return entry
  return { key: entry.key, value: overlay(before.value, entry.value, depth + 1) }
}

function isOfAnotherType(before: YamlMap, own: YamlMap): boolean {
  const type = own.entries.get('type')?.value
  const typeBefore = before.entries.get('type')?.value
  return (
    type !== undefined && !(type.kind === 'scalar' && typeBefore?.kind === 'scalar' && type.value === typeBefore.value)
  )
}
