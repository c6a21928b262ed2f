// The key `was:`, by which a reload knows a node that has been renamed.
import { positionOf } from '../report/diagnostic.js'
import type { Problems } from '../report/diagnostic.js'
import type { DraftNode } from './draft.js'

/** Nodes of one pipeline, or the services: a node is what one other was, and not what another still is. */
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
        name === node.name ? `"${name}" has this name now` : `"${node.name}" cannot be what "${name}" still is`
      problems.report('CONFIG_WAS', place, message)
    } else if (other?.was !== undefined) {
      const { file, line } = positionOf(other.was.place)
      problems.report('CONFIG_WAS', place, `"${other.name}" (${file}:${line}) was "${name}" already`)
    }
  }
}
