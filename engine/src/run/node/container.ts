// The only file that knows inversify: one container for the engine's services, a child for each pipeline, a child of
// that for each node. Nodes are stopped by the engine, in graph order: deactivation order is not graph order.
import 'reflect-metadata'
import { Container } from 'inversify'
import type { ServiceIdentifier } from 'inversify'
import type { Definition, Injections } from '../../plugin/contract.js'
import type { Token } from '../../plugin/tokens.js'
import { runError } from './run-errors.js'

/** Calls `open` of a definition with the injected values. */
export type OpenNode = (deps: Readonly<Record<string, unknown>>) => unknown

const NODE = Symbol('node')

export class EngineContainer {
  readonly #container: Container

  constructor(parent?: EngineContainer) {
    this.#container =
      parent === undefined
        ? new Container({ defaultScope: 'Singleton', jitless: true })
        : new Container({ parent: parent.#container, defaultScope: 'Singleton', jitless: true })
  }

  provide<T>(token: Token<T>, value: T): this {
    this.#container.bind<T>(token).toConstantValue(value)
    return this
  }

  /** Like `provide`, for a value that is created when the first node asks for it. */
  provideOnDemand<T>(token: Token<T>, make: () => T): this {
    this.#container.bind<T>(token).toDynamicValue(make).inSingletonScope()
    return this
  }

  /** The container of a pipeline or a node: it sees what this one provides, and can provide more. */
  child(): EngineContainer {
    return new EngineContainer(this)
  }

  /** Resolves what the definition injects, and opens its node. Throws NODE_UNKNOWN_TOKEN. */
  async openNode(definition: Definition, open: OpenNode): Promise<AsyncDisposable> {
    const wanted: [string, ServiceIdentifier][] = Object.entries(definition.inject ?? ({} satisfies Injections))
    for (const [name, token] of wanted) {
      if (!this.#container.isBound(token)) {
        throw runError('NODE_UNKNOWN_TOKEN', `${definition.kind} ${definition.type} injects ${name}: ${String(token)}`)
      }
    }
    const node = this.child().#container
    node.bind(NODE).toResolvedValue(
      async (...values: unknown[]) => open(Object.fromEntries(wanted.map(([name], at) => [name, values[at]]))),
      wanted.map(([, token]) => token),
    )
    return checkNode(await node.getAsync(NODE), definition.type)
  }
}

function checkNode(opened: unknown, type: string): AsyncDisposable {
  const isNode = typeof opened === 'object' && opened !== null && Symbol.asyncDispose in opened
  if (!isNode) throw new TypeError(`open of ${type} returned something without [Symbol.asyncDispose]`)
  return opened as AsyncDisposable
}
