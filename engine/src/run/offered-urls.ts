// Where a person reaches the streams that nodes offer on listeners of plugins.
import { readOffers } from '../config/section/offered-streams.js'
import type { OfferingNode } from '../config/section/offered-streams.js'
import type { EngineListeners } from '../listen/engine-listeners.js'

/** As they can be pasted into a player or an encoder. Empty if a plugin is wrong about them: `check` says so. */
export function offeredUrls(node: OfferingNode, listeners: Pick<EngineListeners, 'all'>): readonly string[] {
  return offersOf(node).flatMap(({ listener, path }) => {
    const origins = listeners.all().find(({ name }) => name === listener)?.origins ?? []
    return origins.map((origin) => securedScheme(origin) + path)
  })
}

/** Names of the listeners on which these nodes offer streams. */
export function offeringListeners(nodes: readonly OfferingNode[]): ReadonlySet<string> {
  return new Set(nodes.flatMap((node) => offersOf(node).map(({ listener }) => listener)))
}

function offersOf(node: OfferingNode): ReturnType<typeof readOffers> {
  try {
    return readOffers(node)
  } catch {
    return []
  }
}

/** As programs know it: `rtmps`, not `rtmp+tls`. */
function securedScheme(origin: string): string {
  return origin.replace(/^([a-z0-9-]+)\+tls:/, '$1s:')
}
