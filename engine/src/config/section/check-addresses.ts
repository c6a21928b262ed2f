// Addresses that two cannot have at once: those of listeners, of any protocol, and those that nodes bind themselves.
import type { ListenerSettings } from '../../graph/graph.js'
import { collide, parseBindAddress } from '../../listen/bind-address.js'
import type { Place, Problems } from '../report/diagnostic.js'
import { resourcesOf } from './check-exclusive.js'
import type { DraftNode } from './draft-node.js'

export interface PlacedListener {
  readonly settings: ListenerSettings
  readonly transport: 'tcp' | 'udp'
  readonly place: Place
}

const HELP = 'use a different port for one of them'

/** Reports listeners whose addresses cannot be bound at the same time, and nodes that need the address of a listener. */
export function checkAddresses(
  listeners: readonly PlacedListener[],
  nodes: readonly DraftNode[],
  problems: Problems,
): void {
  const byPort = new Map<string, PlacedListener[]>()
  for (const listener of listeners) {
    const { settings, transport, place } = listener
    const other = conflictOf(byPort, transport, settings.address)
    const key = keyOf(transport, settings.address)
    byPort.set(key, [...(byPort.get(key) ?? []), listener])
    if (other === undefined) continue
    const { name, address } = other.settings
    const message = `listener "${settings.name}" on ${settings.address} conflicts with listener "${name}" on ${address}`
    problems.report('CONFIG_EXCLUSIVE', place, message, { help: HELP })
  }
  for (const node of nodes) {
    for (const resource of resourcesOf(node)) {
      if (resource.kind !== 'udp' && resource.kind !== 'tcp') continue
      const other = conflictOf(byPort, resource.kind, resource.address)
      if (other === undefined) continue
      const { name, address } = other.settings
      const message = `"${node.id}" needs ${resource.kind} ${resource.address}, which listener "${name}" has (${address})`
      problems.report('CONFIG_EXCLUSIVE', node.place, message, { help: HELP })
    }
  }
}

function conflictOf(
  byPort: ReadonlyMap<string, readonly PlacedListener[]>,
  transport: 'tcp' | 'udp',
  address: string,
): PlacedListener | undefined {
  const wanted = parseBindAddress(address)
  return byPort
    .get(keyOf(transport, address))
    ?.find((other) => collide(parseBindAddress(other.settings.address), wanted) === 'certainly')
}

function keyOf(transport: 'tcp' | 'udp', address: string): string {
  return `${transport} ${parseBindAddress(address).port}`
}
