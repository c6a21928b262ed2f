// The listening part of an input: subscribes to its publishers, and passes each on. It has no packets of its own.
import type { Observable, Subscription } from 'rxjs'
import type { InputDefinition, NodeContext, Options, Received, Source } from '../../plugin/contract.js'
import type { Publisher, PublisherGrant } from '../../plugin/publisher.js'

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
  const publishers: unknown = definition.publishers?.(options$, reporting, deps as never)
  if (!isObservable(publishers)) throw new TypeError('`publishers` has not returned an observable')
  return (observer) =>
    publishers.subscribe({
      next: (publisher) => {
        let checked: Publisher
        try {
          checked = guarded(publisher as Publisher, context)
        } catch (error) {
          return observer.error(error)
        }
        admit(checked)
      },
      error: (error: unknown) => observer.error(error),
      complete: () => observer.complete(),
    })
}

/** What it throws in a call of the engine fails its node, and is no problem of the caller. Throws if it is none. */
function guarded(publisher: Publisher, context: NodeContext): Publisher {
  const { key, who, credentials, origin, signal } = publisher
  if (typeof key !== 'string' || typeof who?.address !== 'string' || typeof credentials !== 'object') {
    throw new TypeError('a publisher has no `key`, no `who`, or no `credentials`')
  }
  if (!(signal instanceof AbortSignal)) throw new TypeError('a publisher has no `signal`')
  const accept = context.guard((grant: PublisherGrant) => guardedSource(publisher.accept(grant), context))
  const reject = context.guard<Parameters<Publisher['reject']>, boolean | void>((code, why) =>
    publisher.reject(code, why),
  )
  return {
    key,
    who,
    credentials,
    origin,
    signal,
    accept(grant) {
      const source = accept(grant)
      if (source === undefined) throw new TypeError('the publisher could not be accepted')
      return source
    },
    reject: (code, why) => reject(code, why) === true,
  }
}

/** Its end is the end of the publisher, whatever the plugin throws there. */
function guardedSource(source: Source<Received>, context: NodeContext): Source<Received> {
  if (!isObservable(source?.chunks) || typeof source[Symbol.asyncDispose] !== 'function') {
    throw new TypeError('`accept` of a publisher has not returned a source')
  }
  const dispose = context.guard(() => source[Symbol.asyncDispose]())
  const pause = context.guard(() => source.pause?.() ?? source.hold?.())
  const canPause = source.pause !== undefined || source.hold !== undefined
  return {
    chunks: source.chunks,
    ...(canPause ? { pause: () => pause() ?? { [Symbol.dispose]: () => undefined } } : {}),
    [Symbol.asyncDispose]: async () => dispose(),
  }
}

/** Also one of another copy of RxJS. */
function isObservable<T>(value: Observable<T> | unknown): value is Observable<T> {
  return typeof (value as Observable<T> | undefined)?.subscribe === 'function'
}
