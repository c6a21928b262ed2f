// Resources that only one holder can have: addresses of listeners, and what definitions return from `exclusive`.
import type { ListenerSettings } from '../../graph/graph.js'
import type { Resource } from '../../plugin/resource.js'
import { positionOf } from '../report/diagnostic.js'
import type { Place, Problems } from '../report/diagnostic.js'
import { titleOf } from './draft-node.js'
import type { DraftNode } from './draft-node.js'
import { collide, parseBindAddress } from '../../listen/bind-address.js'
import { ResourceHolders } from './resource-holders.js'
import { ofCopies, readResources, renderResource } from './resources.js'
import { messageOf } from '../../errors.js'

export interface PlacedListener {
  readonly settings: ListenerSettings
  readonly place: Place
}

/** Reports nodes that claim the same exclusive resource, or resources that overlap. */
export function checkExclusive(nodes: readonly DraftNode[], problems: Problems): void {
  const holders = new ResourceHolders<DraftNode>()
  for (const node of nodes) {
    for (const resource of resourcesOf(node, problems).map((each) => ofCopies(each, node.pattern))) {
      const holder = holders.of(resource).find((each) => each !== node)
      if (holder === undefined) holders.add(resource, node)
      else reportClash(node, holder, resource, problems)
    }
  }
}

/** Reports listeners whose addresses cannot be bound at the same time. */
export function checkAddresses(listeners: readonly PlacedListener[], problems: Problems): void {
  const byPort = new Map<number, PlacedListener[]>()
  for (const listener of listeners) {
    const { settings, place } = listener
    const wanted = parseBindAddress(settings.address)
    const before = byPort.get(wanted.port) ?? []
    const conflicts = (other: PlacedListener): boolean =>
      collide(parseBindAddress(other.settings.address), wanted) === 'certainly'
    const other = before.find(conflicts)
    before.push(listener)
    byPort.set(wanted.port, before)
    if (other === undefined) continue
    const { name, address } = other.settings
    const message = `listener "${settings.name}" on ${settings.address} conflicts with listener "${name}" on ${address}`
    problems.report('CONFIG_EXCLUSIVE', place, message, { help: 'use a different port for one of them' })
  }
}

/** What a node holds; what its definition throws is reported. */
export function resourcesOf({ definition, ok, options, kind, name, place }: DraftNode, problems: Problems): Resource[] {
  if (definition === undefined || !ok) return []
  try {
    return readResources({ definition, options })
  } catch (error) {
    const reason = messageOf(error)
    problems.report('PLUGIN_FAULT', place, `exclusive() of ${titleOf(kind, name)} fails: ${reason}`)
    return []
  }
}

function reportClash(node: DraftNode, holder: DraftNode, resource: Resource, problems: Problems): void {
  const { file, line } = positionOf(holder.place)
  const message = `"${node.id}" needs ${renderResource(resource)}, which "${holder.id}" (${file}:${line}) already uses`
  problems.report('CONFIG_EXCLUSIVE', node.place, message)
}
