// The reload class of every place in the options of a definition, as its schema declares them: a member of a group
// inherits from the group, an element from its list, an entry from its map.
import type { ReloadClass } from '../plugin/contract.js'
import type { ReloadWhen } from '../plugin/reload-class.js'
import type { Schema } from '../plugin/option-kind.js'
import { describeOptions } from '../plugin/option-meta.js'

export interface OptionPlace {
  /** For messages: `clients.max`, `urls[0]`; empty at the root. */
  readonly path: string
  readonly steps: readonly PropertyKey[]
  readonly reload: ReloadClass
  /** An entry of a map with free keys: adding or removing it has a class of its own, the map's. */
  readonly isEntry: boolean
  /** As in the declaration, `urls[].host`; undefined if nothing is declared. */
  readonly pattern: string | undefined
}

const STRENGTH: Readonly<Record<ReloadClass, number>> = { live: 0, rebind: 1, swap: 2, source: 2, restart: 3 }

export class ReloadClasses {
  readonly #classes = new Map<string, ReloadClass>()
  /** Declared options and the groups around them, which need not have a row of their own. */
  readonly #known = new Set<string>()
  readonly #losing = new Set<string>()
  readonly #when = new Map<string, readonly ReloadWhen[]>()

  constructor(schema: Schema) {
    for (const { path, reload, losesViewers, reloadWhen } of describeOptions(schema)) {
      this.#classes.set(path, reload)
      if (losesViewers === true) this.#losing.add(path)
      if (reloadWhen !== undefined) this.#when.set(path, reloadWhen)
      for (const { index } of path.matchAll(/[.[]|$/g)) this.#known.add(path.slice(0, index))
    }
  }

  /** Viewers have to load the stream again when the option changes. `path`: as in a difference. */
  losesViewers(path: string): boolean {
    return this.#losing.has(path)
  }

  /** The other class of an option, if the node is, and stays, in the mode that has it. `path`: as in a difference. */
  inMode(path: string, before: unknown, after: unknown): ReloadWhen | undefined {
    const valueOf = (options: unknown, key: string): unknown => (options as Readonly<Record<string, unknown>>)[key]
    return this.#when
      .get(path)
      ?.find(({ option, is }) => valueOf(before, option) === is && valueOf(after, option) === is)
  }

  root(): OptionPlace {
    return { path: '', steps: [], reload: 'swap', isEntry: false, pattern: '' }
  }

  /** The place of a member of a group, or of an entry of a map. */
  member(at: OptionPlace, key: string): OptionPlace {
    const path = at.path === '' ? key : `${at.path}.${key}`
    const below = at.pattern === undefined || at.pattern === '' ? '' : `${at.pattern}.`
    const isKnown = at.pattern !== undefined
    if (isKnown && this.#known.has(below + key)) return this.#step(at, path, key, below + key)
    const entry = `${below}*`
    if (isKnown && this.#known.has(entry)) return { ...this.#step(at, path, key, entry), isEntry: true }
    return this.#step(at, path, key, undefined)
  }

  element(at: OptionPlace, index: number): OptionPlace {
    const pattern = at.pattern === undefined ? undefined : `${at.pattern}[]`
    const known = pattern !== undefined && this.#known.has(pattern) ? pattern : undefined
    return this.#step(at, `${at.path}[${index}]`, index, known)
  }

  #step(at: OptionPlace, path: string, step: PropertyKey, pattern: string | undefined): OptionPlace {
    const reload = pattern === undefined ? undefined : this.#classes.get(pattern)
    return { path, steps: [...at.steps, step], reload: reload ?? at.reload, isEntry: false, pattern }
  }
}

/** The most disruptive class; of two equal ones the first, and `live` if there is none. */
export function strongestClass(classes: readonly ReloadClass[]): ReloadClass {
  let strongest: ReloadClass | undefined
  for (const one of classes) if (strongest === undefined || STRENGTH[one] > STRENGTH[strongest]) strongest = one
  return strongest ?? 'live'
}
