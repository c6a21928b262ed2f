// The sections `pipelines:` and `services:` of all files, as drafts.
import { SERVICES } from '../../graph/node-id.js'
import { PIPELINE_KINDS, SECTION_OF } from '../../plugin/node-kinds.js'
import { checkWas } from './check-was.js'
import type { DraftNode, DraftPipeline } from './draft-node.js'
import { asPattern, isPatternPipeline, withStreamText } from './pattern-pipeline.js'
import { readNode } from './read-node.js'
import { readNodes } from './read-nodes.js'
import type { NodeSources } from './read-node.js'
import { TimeSlice } from '../source/time-slice.js'
import { checkKeys, mapOf, namedEntries, PIPELINE_KEYS, textOf } from '../source/read-section.js'
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
  const written = mapOf(entry, title, problems)
  if (written === undefined) return undefined
  checkKeys(written, [...PIPELINE_KEYS, 'template', 'with'], title, problems)
  const map = withStreamText(written, title, problems)
  const about = map.entries.get('description')
  const description =
    about === undefined ? undefined : textOf(about.value, about.value.place, `"description" of ${title}`, problems)
  const nodes = await readNodes(name, map, sources, slice)
  checkWas(nodes, problems)
  if (!PIPELINE_KINDS.some((kind) => hasEntries(map, SECTION_OF[kind]))) {
    problems.report('CONFIG_EMPTY', entry.key, `${title} has no nodes`)
  }
  const draft = { name, description: description ?? '', nodes }
  return isPatternPipeline(map) ? { ...draft, ...asPattern(nodes, written, problems) } : draft
}

function hasEntries(map: YamlMap, section: string): boolean {
  const value = map.entries.get(section)?.value
  return value !== undefined && !(value.kind === 'scalar' && value.value === null) && !isEmptyMap(value)
}

function isEmptyMap(value: YamlEntry['value']): boolean {
  return value.kind === 'map' && value.entries.size === 0
}
