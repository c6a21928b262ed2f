// The sections `pipelines:` and `services:` of all files, as drafts.
import { SERVICES } from '../../graph/node-id.js'
import { type NodeKind, PIPELINE_KINDS, SECTION_OF } from '../../plugin/node-kinds.js'
import { checkWas } from './check-was.js'
import type { Place } from '../report/diagnostic.js'
import { titleOf } from './draft-node.js'
import type { DraftNode, DraftPipeline } from './draft-node.js'
import { readNode } from './read-node.js'
import type { NodeSources } from './read-node.js'
import { TimeSlice } from '../source/time-slice.js'
import {
  checkId,
  checkKeys,
  mapOf,
  namedEntries,
  PIPELINE_KEYS,
  reportDuplicate,
  textOf,
} from '../source/read-section.js'
import type { YamlEntry, YamlMap } from '../source/yaml-tree.js'

/** Reads the pipelines of all files; duplicate names are reported. */
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

/** Reads the services of all files. */
export function readServices(entries: readonly YamlEntry[], sources: NodeSources): readonly DraftNode[] {
  const nodes: DraftNode[] = []
  for (const [name, entry] of namedEntries(entries, SERVICES, 'service', sources.problems)) {
    const node = readNode({ kind: 'service', name, owner: SERVICES, entry }, sources)
    if (node !== undefined) nodes.push(node)
  }
  checkWas(nodes, sources.problems)
  return nodes
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
  if (!PIPELINE_KINDS.some((kind) => hasEntries(map, SECTION_OF[kind]))) {
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
  for (const kind of PIPELINE_KINDS) {
    const section = SECTION_OF[kind]
    const sectionEntry = map.entries.get(section)
    const sectionMap = sectionEntry === undefined ? undefined : mapOf(sectionEntry, `"${section}"`, problems)
    for (const [name, entry] of sectionMap?.entries ?? []) {
      await slice.yieldIfUsed()
      const isId = checkId(name, entry.key, problems)
      const first = places.get(name)
      if (first !== undefined) reportDuplicate(titleOf(kind, name), entry.key, first.place, problems)
      const node = readNode({ kind, name, owner, entry }, sources)
      if (first !== undefined || node === undefined) continue
      places.set(name, { place: entry.key, kind })
      // A node with an invalid name is kept, so that the nodes that read from it are not reported as well.
      nodes.push(isId ? node : { ...node, ok: false })
    }
  }
  return nodes
}

function hasEntries(map: YamlMap, section: string): boolean {
  const value = map.entries.get(section)?.value
  return value !== undefined && !(value.kind === 'scalar' && value.value === null) && !isEmptyMap(value)
}

function isEmptyMap(value: YamlEntry['value']): boolean {
  return value.kind === 'map' && value.entries.size === 0
}
