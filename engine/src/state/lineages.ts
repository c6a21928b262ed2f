// Which runners are of the same node: the lineage of a node continues through all its replacements and renames, while ids
// are freed and given to other nodes. Its files belong to the lineage, and a rollback finds by it what it has to undo.

export class Lineage {
  /** In the graph; the last one, if the node has left it; the future one, while it is prepared. */
  id: string
  /** The id under which an earlier run of the engine knew it. */
  readonly was: string | undefined
  isInGraph = false
  /** Below the folder of all nodes; undefined until it is chosen. Only `NodeFolders` sets it. */
  folder: string | undefined
  /** Who has put it into the graph. */
  current: object | undefined
  readonly users = new Set<object>()

  constructor(id: string, was?: string) {
    this.id = id
    this.was = was
  }
}

export interface JoinSettings {
  readonly continues?: Lineage | undefined
  /** See `Lineage`. */
  readonly was?: string | undefined
}

export interface LineageWatcher {
  /** It has its first user, for the first time or again. */
  onJoin(lineage: Lineage): void
  /** It has entered or left the graph, or has another id there. */
  onChange(lineage: Lineage): void
  /** It has no user any more. */
  onEnd(lineage: Lineage): void
}

export class Lineages {
  readonly #watcher: LineageWatcher
  readonly #bySettings = new WeakMap<object, Lineage>()
  /** Of nodes that have left the graph and not ended yet, by the last id. */
  readonly #leaving = new Map<string, Lineage>()

  constructor(watcher: LineageWatcher) {
    this.#watcher = watcher
  }

  /**
   * For a node that is about to be opened: the lineage that it continues; or that of a node which ran with the same
   * settings object, or which is just leaving the graph under this id; or a new one.
   */
  join(user: object, settings: { readonly id: string }, { continues, was }: JoinSettings = {}): Lineage {
    const { id } = settings
    const lineage = continues ?? this.of(settings) ?? this.#leaving.get(id) ?? new Lineage(id, was)
    this.hold(lineage, user)
    return lineage
  }

  /** It does not end before this user ends. */
  hold(lineage: Lineage, user: object): void {
    const isFirst = lineage.users.size === 0
    lineage.users.add(user)
    if (isFirst) this.#watcher.onJoin(lineage)
  }

  /** The user stands for it in the graph from now on, under this id. */
  enter(lineage: Lineage, user: object, id: string): void {
    lineage.current = user
    if (lineage.isInGraph && lineage.id === id) return
    this.#forgetLeaving(lineage)
    lineage.id = id
    lineage.isInGraph = true
    this.#watcher.onChange(lineage)
  }

  /** The user has left the graph; ignored if another one stands for the lineage. */
  leave(lineage: Lineage, user: object): void {
    if (lineage.current !== user || !lineage.isInGraph) return
    lineage.isInGraph = false
    this.#leaving.set(lineage.id, lineage)
    this.#watcher.onChange(lineage)
  }

  /** The user has released everything. Safe twice. */
  end(lineage: Lineage, user: object): void {
    this.leave(lineage, user)
    if (!lineage.users.delete(user)) return
    if (lineage.users.size > 0) {
      // Something is still written for a node that was prepared in vain: the next attempt shares its files.
      if (!lineage.isInGraph && !this.#leaving.has(lineage.id)) this.#leaving.set(lineage.id, lineage)
      return
    }
    this.#forgetLeaving(lineage)
    this.#watcher.onEnd(lineage)
  }

  /** The lineage of the node with these settings of a graph. */
  note(settings: object, lineage: Lineage): void {
    this.#bySettings.set(settings, lineage)
  }

  /** Undefined if it has not been noted. */
  of(settings: object): Lineage | undefined {
    return this.#bySettings.get(settings)
  }

  #forgetLeaving(lineage: Lineage): void {
    if (this.#leaving.get(lineage.id) === lineage) this.#leaving.delete(lineage.id)
  }
}
