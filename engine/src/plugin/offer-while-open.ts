// A node that takes clients from a listener of a plugin: it follows the listener when that is closed, moved or replaced.
import type { Provided } from './listener.js'
import type { NodeContext } from './contract.js'

/** `offer` registers the node with what the listener provides. Disposing withdraws it. */
export function offerWhileOpen<T>(
  { name, value$ }: Pick<Provided<T>, 'name' | 'value$'>,
  context: Pick<NodeContext, 'degraded' | 'ready'>,
  offer: (open: T) => Disposable,
): Disposable {
  let offered: Disposable | undefined
  const withdraw = (): void => {
    offered?.[Symbol.dispose]()
    offered = undefined
  }
  const following = value$.subscribe((open) => {
    withdraw()
    if (open === undefined) return context.degraded(`the listener "${name}" is not open`)
    offered = offer(open)
    context.ready()
  })
  return {
    [Symbol.dispose]: () => {
      following.unsubscribe()
      withdraw()
    },
  }
}
