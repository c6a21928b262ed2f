// What the inputs that take published streams count, as status and metrics show it.

export interface PublisherStatus {
  /** Id of the node that listens. A reload may rename it. */
  readonly id: string
  /** Keys that are published now, those that linger included. */
  readonly streams: number
  /** By reason, since the node has opened. */
  readonly refused: ReadonlyMap<string, number>
}

/** All of an engine. */
export class PublisherStatuses {
  readonly #all = new Set<PublisherStatus>()

  /** Until disposed. */
  add(status: PublisherStatus): Disposable {
    this.#all.add(status)
    return { [Symbol.dispose]: () => void this.#all.delete(status) }
  }

  /** Of the node that has opened last under this id; undefined if it takes no publishers. */
  of(id: string): PublisherStatus | undefined {
    let newest: PublisherStatus | undefined
    for (const each of this.#all) if (each.id === id) newest = each
    return newest
  }
}
