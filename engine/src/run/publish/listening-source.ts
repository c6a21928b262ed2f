// The listening part of an input: subscribes to its publishers, and passes each on. It has no packets of its own.
import { type Observable, Subscription } from 'rxjs'
import type { InputDefinition, NodeContext, Options, Received, Source } from '../../plugin/contract.js'
import type { Publisher } from '../../plugin/publisher.js'

/** Opens a node in place of `open` of its definition, with the same arguments. */
export type OpensInput = (options$: Options<unknown>, context: NodeContext, deps: unknown) => Source<Received>

export interface Listening {
  /** A publisher has come. Never throws. */
  admit(publisher: Publisher): void
  /** The node can take publishers: reports its state. */
  report(context: NodeContext): void
}

/** The publishers of the input, each attempt with its own subscription. */
export function publishersOf(
  definition: InputDefinition,
  [options$, context, deps]: Parameters<OpensInput>,
  { admit, report }: Listening,
): (fail: { error(error: unknown): void; complete(): void }) => Subscription {
  const reporting: NodeContext = Object.create(context, { ready: { value: () => report(context) } }) as NodeContext
  const publishers = definition.publishers?.(options$, reporting, deps as never) as Observable<Publisher> | undefined
  return (observer) =>
    publishers?.subscribe({
      next: (publisher) => admit(guarded(publisher, context)),
      error: (error: unknown) => observer.error(error),
      complete: () => observer.complete(),
    }) ?? new Subscription()
}

/** What it throws in a call of the engine fails its node, and is no problem of the caller. */
function guarded(publisher: Publisher, { guard }: NodeContext): Publisher {
  const accept = guard(() => publisher.accept())
  const reject = guard<Parameters<Publisher['reject']>, void>((code, why) => publisher.reject(code, why))
  const { key, who, credentials, signal } = publisher
  return {
    key,
    who,
    credentials,
    signal,
    accept() {
      const source = accept()
      if (source === undefined) throw new TypeError('the publisher could not be accepted')
      return source
    },
    reject(code, why) {
      reject(code, why)
    },
  }
}
