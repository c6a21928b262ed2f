// Which nodes hold a resource, or one that overlaps it.
import type { Resource } from '../../plugin/resource.js'
import { resourceKey, resourcesOverlap } from './resources.js'

export class ResourceHolders<H> {
  readonly #byKey = new Map<string, { readonly resource: Resource; readonly holder: H }[]>()

  add(resource: Resource, holder: H): void {
    const key = resourceKey(resource)
    const entries = this.#byKey.get(key)
    if (entries === undefined) this.#byKey.set(key, [{ resource, holder }])
    else entries.push({ resource, holder })
  }

  /** In the order in which they were added. */
  of(resource: Resource): readonly H[] {
    const entries = this.#byKey.get(resourceKey(resource)) ?? []
    return [
      ...new Set(entries.filter((entry) => resourcesOverlap(entry.resource, resource)).map(({ holder }) => holder)),
    ]
  }
}
