// The known definitions, by kind and type.
import type { AnyDefinition, AuthDefinition } from './auth-definition.js'
import type { Definition, NodeKind } from './contract.js'
import type { DefinitionKind } from './node-kinds.js'

export interface Registered {
  readonly definition: AnyDefinition
  /** The package or file that provides it. */
  readonly origin: string
}

export class Registry {
  readonly #entries = new Map<string, Registered>()

  /** Adds a definition; if its kind and type are taken, adds nothing and returns the present one. */
  add(definition: AnyDefinition, origin: string): Registered | undefined {
    const key = `${definition.kind}/${definition.type}`
    const present = this.#entries.get(key)
    if (present === undefined) this.#entries.set(key, { definition, origin })
    return present
  }

  find(kind: NodeKind, type: string): Definition | undefined
  find(kind: 'auth', type: string): AuthDefinition | undefined
  find(kind: DefinitionKind, type: string): AnyDefinition | undefined {
    return this.#entries.get(`${kind}/${type}`)?.definition
  }

  /** In the order in which they were found. */
  all(): readonly Registered[] {
    return [...this.#entries.values()]
  }

  /** Type names of a kind. */
  types(kind: DefinitionKind): readonly string[] {
    return this.all().flatMap(({ definition }) => (definition.kind === kind ? [definition.type] : []))
  }
}

/** A registry of the given definitions. Throws if two have the same kind and type. */
export function registryOf(definitions: readonly AnyDefinition[], origin = 'here'): Registry {
  const registry = new Registry()
  for (const definition of definitions) {
    if (registry.add(definition, origin) !== undefined) {
      throw new TypeError(`${definition.kind} "${definition.type}" is defined twice`)
    }
  }
  return registry
}
