// The key `was:`, which tells a reload that a node was renamed.
import { positionOf } from '../report/diagnostic.js'
import type { Problems } from '../report/diagnostic.js'
import type { DraftNode } from './draft-node.js'

/**
 * Checks the nodes of one pipeline, or the services: no two nodes may claim the same former id, and no node the id of
 * one that still exists.
 */
export function checkWas(nodes: readonly DraftNode[], problems: Problems): void {
  const present = new Set(nodes.map(({ name }) => name))
  const taken = new Map<string, DraftNode>()
  for (const node of nodes) {
    if (node.was === undefined) continue
    const { name, place } = node.was
    const other = taken.get(name)
    taken.set(name, other ?? node)
    if (present.has(name)) {
      const message =
        name === node.name
          ? `"${name}" already has this id`
          : `"${node.name}" cannot have been "${name}", which still exists`
      problems.report('CONFIG_WAS', place, message)
    } else if (other?.was !== undefined) {
      const { file, line } = positionOf(other.was.place)
      problems.report('CONFIG_WAS', place, `"${other.name}" (${file}:${line}) already claims the former id "${name}"`)
    }
  }
}
