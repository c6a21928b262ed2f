// The sections `inputs:`, `transforms:` and `outputs:` of one pipeline, as drafts.
import { type NodeKind, PIPELINE_KINDS, SECTION_OF } from '../../plugin/node-kinds.js'
import type { Place } from '../report/diagnostic.js'
import { titleOf } from './draft-node.js'
import type { DraftNode } from './draft-node.js'
import { readNode } from './read-node.js'
import type { NodeSources } from './read-node.js'
import type { TimeSlice } from '../source/time-slice.js'
import { checkId, mapOf, reportDuplicate } from '../source/read-section.js'
import type { YamlMap } from '../source/yaml-tree.js'

/** The nodes of one pipeline. */
export async function readNodes(
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
