// An index of resources: finds the holders of a resource, or of one that overlaps it, without comparing all nodes.
import type { Resource } from '../../plugin/resource.js'
import { resourceKeys, resourcesOverlap } from './resources.js'

interface Entry<H> {
  readonly resource: Resource
  readonly holder: H
}

export class ResourceHolders<H> {
  readonly #byKey = new Map<string, Entry<H>[]>()

  add(resource: Resource, holder: H): void {
    for (const key of resourceKeys(resource).held) {
      const entries = this.#byKey.get(key)
      if (entries === undefined) this.#byKey.set(key, [{ resource, holder }])
      else entries.push({ resource, holder })
    }
  }

  of(resource: Resource): readonly H[] {
    const found = resourceKeys(resource).asked.flatMap((key) => this.#byKey.get(key) ?? [])
    const overlapping = found.filter((entry) => resourcesOverlap(entry.resource, resource))
    return [...new Set(overlapping.map(({ holder }) => holder))]
  }
}
