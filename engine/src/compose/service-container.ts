// The only file that knows inversify. A container has services by key; a child sees those of its parent and has its own.
// Nothing is deactivated: the engine stops nodes itself, in graph order, which deactivation does not follow.
import 'reflect-metadata'
import { Container } from 'inversify'
import { runError } from '../run/node/run-errors.js'
import type { AnyDefinition } from '../plugin/auth-definition.js'
import type { OpenNode } from '../run/node/node-services.js'
import type { Token } from '../plugin/tokens.js'

/** The key of a service: a token that plugins can inject, or one that only the engine knows. */
export type Key<T> = Token<T>
type Keys<A extends readonly unknown[]> = { readonly [I in keyof A]: Key<A[I]> }

/** A key that no plugin can name. */
export function internalKey<T>(name: string): Key<T> {
  return Symbol(name) as Key<T>
}

export class ServiceContainer {
  readonly #container: Container

  constructor(parent?: ServiceContainer) {
    const settings = { defaultScope: 'Singleton', jitless: true } as const
    this.#container = new Container(parent === undefined ? settings : { ...settings, parent: parent.#container })
  }

  child(): ServiceContainer {
    return new ServiceContainer(this)
  }

  value<T>(key: Key<T>, value: T): this {
    this.#container.bind<T>(key).toConstantValue(value)
    return this
  }

  /** A service that is made from others when it is asked for first. */
  service<T, A extends readonly unknown[]>(key: Key<T>, from: Keys<A>, make: (...parts: A) => T): this {
    const keys: readonly Key<unknown>[] = from
    this.#container.bind<T>(key).toResolvedValue((...parts: unknown[]) => make(...(parts as unknown as A)), [...keys])
    return this
  }

  get<T>(key: Key<T>): T {
    return this.#container.get<T>(key)
  }

  /** Resolves what the definition injects, and opens its node, or auth provider. Throws NODE_UNKNOWN_TOKEN. */
  async openNode(
    definition: Pick<AnyDefinition, 'kind' | 'type' | 'inject'>,
    open: OpenNode,
  ): Promise<AsyncDisposable> {
    const wanted = Object.entries<Key<unknown>>(definition.inject ?? {})
    for (const [name, token] of wanted) {
      if (!this.#container.isBound(token)) {
        throw runError('NODE_UNKNOWN_TOKEN', `${definition.kind} ${definition.type} injects ${name}: ${String(token)}`)
      }
    }
    const deps = Object.fromEntries(wanted.map(([name, token]) => [name, this.#container.get(token)]))
    return checkNode(await open(deps), definition.type)
  }
}

function checkNode(opened: unknown, type: string): AsyncDisposable {
  const isNode = typeof opened === 'object' && opened !== null && Symbol.asyncDispose in opened
  if (!isNode) throw new TypeError(`open of ${type} returned something without [Symbol.asyncDispose]`)
  return opened as AsyncDisposable
}
