// The sections `pipelines:` and `services:` of all files, as drafts.
import type { NodeKind } from '../../plugin/contract.js'
import { positionOf } from '../report/diagnostic.js'
import { checkWas } from './check-was.js'
import type { Place, Problems } from '../report/diagnostic.js'
import { titleOf } from './draft.js'
import type { DraftNode, DraftPipeline } from './draft.js'
import { readNode } from './read-node.js'
import type { NodeSources } from './read-node.js'
import { TimeSlice } from '../source/time-slice.js'
import { checkId, checkKeys, mapOf, textOf } from '../source/read-section.js'
import type { YamlEntry, YamlMap } from '../source/yaml-tree.js'

const SECTIONS: readonly (readonly [section: string, kind: NodeKind])[] = [
  ['inputs', 'input'],
  ['transforms', 'transform'],
  ['outputs', 'output'],
]

/** What may stand in a pipeline that is written out. */
export const PIPELINE_KEYS: readonly string[] = ['description', ...SECTIONS.map(([section]) => section)]

/** Ids of services begin with it, so no pipeline may have its name. */
const SERVICES = 'services'

/** Reads what the files say under `pipelines:`; the same name twice is reported. */
export async function readPipelines(
  entries: readonly YamlEntry[],
  sources: NodeSources,
): Promise<readonly DraftPipeline[]> {
  const { problems } = sources
  const slice = new TimeSlice()
  const pipelines: DraftPipeline[] = []
  for (const [name, entry] of namedEntries(entries, 'pipelines', 'pipeline', problems)) {
    if (name === SERVICES) {
      problems.report('CONFIG_BAD_ID', entry.key, `"${SERVICES}" cannot be the name of a pipeline`)
      continue
    }
    const pipeline = await readPipeline(name, entry, sources, slice)
    if (pipeline !== undefined) pipelines.push(pipeline)
  }
  return pipelines
}

/** Reads what the files say under `services:`. */
export function readServices(entries: readonly YamlEntry[], sources: NodeSources): readonly DraftNode[] {
  const nodes: DraftNode[] = []
  for (const [name, entry] of namedEntries(entries, SERVICES, 'service', sources.problems)) {
    const node = readNode({ kind: 'service', name, owner: SERVICES, entry }, sources)
    if (node !== undefined) nodes.push(node)
  }
  checkWas(nodes, sources.problems)
  return nodes
}

/** The entries of a section in all files, with good names and each name once. */
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
      else reportTwice(`${what} "${name}"`, entry.key, first.key, problems)
    }
  }
  return [...found]
}

async function readPipeline(
  name: string,
  entry: YamlEntry,
  sources: NodeSources,
  slice: TimeSlice,
): Promise<DraftPipeline | undefined> {
  const { problems } = sources
  const title = `pipeline "${name}"`
  const map = mapOf(entry, title, problems)
  if (map === undefined) return undefined
  checkKeys(map, [...PIPELINE_KEYS, 'template', 'with'], title, problems)
  const about = map.entries.get('description')
  const description =
    about === undefined ? undefined : textOf(about.value, about.value.place, `"description" of ${title}`, problems)
  const nodes = await readNodes(name, map, sources, slice)
  checkWas(nodes, problems)
  if (!SECTIONS.some(([section]) => hasEntries(map, section))) {
    problems.report('CONFIG_EMPTY', entry.key, `${title} has no nodes`)
  }
  return { name, description: description ?? '', nodes }
}

async function readNodes(
  owner: string,
  map: YamlMap,
  sources: NodeSources,
  slice: TimeSlice,
): Promise<readonly DraftNode[]> {
  const { problems } = sources
  const places = new Map<string, { readonly place: Place; readonly kind: NodeKind }>()
  const nodes: DraftNode[] = []
  for (const [section, kind] of SECTIONS) {
    const sectionEntry = map.entries.get(section)
    const sectionMap = sectionEntry === undefined ? undefined : mapOf(sectionEntry, `"${section}"`, problems)
    for (const [name, entry] of sectionMap?.entries ?? []) {
      await slice.rest()
      const isId = checkId(name, entry.key, problems)
      const first = places.get(name)
      if (first !== undefined) reportTwice(titleOf(kind, name), entry.key, first.place, problems)
      const node = readNode({ kind, name, owner, entry }, sources)
      if (first !== undefined || node === undefined) continue
      places.set(name, { place: entry.key, kind })
      // A node with a bad name stays, so that those that read from it are not reported as well.
      nodes.push(isId ? node : { ...node, ok: false })
    }
  }
  return nodes
}

function reportTwice(what: string, place: Place, first: Place, problems: Problems): void {
  const { file, line, column } = positionOf(first)
  const message = `${what} has an id that is taken at ${file}:${line}:${column}`
  problems.report('CONFIG_DUPLICATE_ID', place, message)
}

function hasEntries(map: YamlMap, section: string): boolean {
  const value = map.entries.get(section)?.value
  return value !== undefined && !(value.kind === 'scalar' && value.value === null) && !isEmptyMap(value)
}

function isEmptyMap(value: YamlEntry['value']): boolean {
  return value.kind === 'map' && value.entries.size === 0
}
