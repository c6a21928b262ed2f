// Resources that only one node can have: what definitions return from `exclusive`.
import { ENCODED_SEPARATOR } from '../../listen/route-table.js'
import type { Resource } from '../../plugin/resource.js'
import { positionOf } from '../report/diagnostic.js'
import type { Problems } from '../report/diagnostic.js'
import { titleOf } from './draft-node.js'
import type { DraftNode } from './draft-node.js'
import { ResourceHolders } from './resource-holders.js'
import { ofCopies, readResources, renderResource } from './resources.js'
import { messageOf } from '../../errors.js'

/** Reports nodes that claim the same exclusive resource, or resources that overlap. */
export function checkExclusive(nodes: readonly DraftNode[], problems: Problems): void {
  const holders = new ResourceHolders<DraftNode>()
  for (const node of nodes) {
    for (const resource of resourcesOf(node, problems).map((each) => ofCopies(each, node.pattern))) {
      warnIfUnreachable(node, resource, problems)
      const holder = holders.of(resource).find((each) => each !== node)
      if (holder === undefined) holders.add(resource, node)
      else reportClash(node, holder, resource, problems)
    }
  }
}

/** Reports what is wrong with `exclusive`, if it is to. */
export function resourcesOf(
  { definition, ok, options, kind, name, place }: DraftNode,
  problems?: Problems,
): Resource[] {
  if (definition === undefined || !ok) return []
  try {
    return readResources({ definition, options })
  } catch (error) {
    const reason = messageOf(error)
    problems?.report('PLUGIN_FAULT', place, `exclusive() of ${titleOf(kind, name)} fails: ${reason}`)
    return []
  }
}

function warnIfUnreachable({ kind, name, place }: DraftNode, resource: Resource, problems: Problems): void {
  if (resource.kind !== 'http' || !ENCODED_SEPARATOR.test(resource.path)) return
  const message = `${titleOf(kind, name)}: requests with %2F or %5C in their path receive 404: none reaches ${resource.path}`
  problems.report('CONFIG_UNEXPECTED', place, message, { severity: 'warning', help: 'write a plain path' })
}

function reportClash(node: DraftNode, holder: DraftNode, resource: Resource, problems: Problems): void {
  const { file, line } = positionOf(holder.place)
  const message = `"${node.id}" needs ${renderResource(resource)}, which "${holder.id}" (${file}:${line}) already uses`
  problems.report('CONFIG_EXCLUSIVE', node.place, message)
}
