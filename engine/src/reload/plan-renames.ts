// A removal and an addition that look like one node under another name: without `was:` its viewers are disconnected.
import { isDeepStrictEqual } from 'node:util'
import { nodeName } from '../graph/node-id.js'
import type { NodeSettings } from '../graph/graph.js'
import type { NodeChange } from '../observe/reload-plan.js'

/** Marks each removed node that looks like an added one of its pipeline. */
export function tellRename(change: NodeChange, removed: NodeSettings, added: readonly NodeSettings[]): NodeChange {
  const renamed = added.find((node) => isAlike(removed, node))
  if (renamed === undefined) return change
  const why = `${change.why}; did you rename it to ${nodeName(renamed.id)}? say was: ${nodeName(removed.id)} there`
  return { ...change, renamedTo: renamed.id, why }
}

function isAlike(old: NodeSettings, next: NodeSettings): boolean {
  if (old.definition.kind !== next.definition.kind || old.definition.type !== next.definition.type) return false
  if (old.id.slice(0, -nodeName(old.id).length) !== next.id.slice(0, -nodeName(next.id).length)) return false
  const [before, after] = [old.options, next.options] as readonly (Endpoint | undefined)[]
  if (before === undefined || after === undefined) return false
  if (before.path !== undefined && before.path === after.path && before.listener === after.listener) return true
  return isDeepStrictEqual(before, after) && isDeepStrictEqual(old.from, next.from)
}

interface Endpoint {
  readonly path?: unknown
  readonly listener?: unknown
}
