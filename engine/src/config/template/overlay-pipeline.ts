// What a pipeline says beside `template` and `with`, laid over what the template says: maps are merged, everything else
// takes the place of what was there, and null takes it away.
import { isNull } from '../source/yaml-tree.js'
import type { YamlEntry, YamlMap } from '../source/yaml-tree.js'

/** Of a pipeline: its sections, in them the nodes, in them the options. */
const SECTIONS = 0
const NODES = 1

/** The pipeline; both are left as they are. */
export function overlayPipeline(template: YamlMap, own: YamlMap): YamlMap {
  return overlay(template, own, SECTIONS)
}

function overlay(under: YamlMap, own: YamlMap, depth: number): YamlMap {
  const entries = new Map(under.entries)
  for (const [name, entry] of own.entries) {
    const before = entries.get(name)
    if (before === undefined) entries.set(name, entry)
    // A section in which nothing stands (yet) says nothing.
    else if (isNull(entry.value)) {
      if (depth !== SECTIONS) entries.delete(name)
    } else entries.set(name, overlaid(before, entry, depth))
  }
  return { ...own, entries }
}

function overlaid(before: YamlEntry, entry: YamlEntry, depth: number): YamlEntry {
  if (before.value.kind !== 'map' || entry.value.kind !== 'map') return entry
  // Options of another type are none of its own.
  if (depth === NODES && isOfAnotherType(before.value, entry.value)) return entry
  return { key: entry.key, value: overlay(before.value, entry.value, depth + 1) }
}

function isOfAnotherType(before: YamlMap, own: YamlMap): boolean {
  const type = own.entries.get('type')?.value
  const was = before.entries.get('type')?.value
  return type !== undefined && !(type.kind === 'scalar' && was?.kind === 'scalar' && type.value === was.value)
}
