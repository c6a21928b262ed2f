// Reports errors that the consumers of an observable throw, at once and to one receiver. RxJS itself reports them later,
// from its own timer, where the consumer is no longer known.
import { Observable } from 'rxjs'
import type { Observer, Subscription } from 'rxjs'

type Consumer<T> = Partial<Observer<T>> | ((value: T) => void) | null | undefined
type Report = (error: unknown) => void

/** Changes the observable itself. Observables piped from it report errors too. */
export function catchConsumers<T, S extends Observable<T>>(source: S & Observable<T>, report: Report): S {
  const subscribe = source.subscribe.bind(source) as (consumer: Consumer<T>) => Subscription
  const pipe = source.pipe.bind(source) as (...operators: readonly unknown[]) => unknown
  source.subscribe = (
    consumer?: Consumer<T>,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription => {
    if (isSubscriber(consumer)) return subscribe(consumer)
    const given: Partial<Observer<T>> =
      typeof consumer === 'function'
        ? functionsOf(consumer, error, complete)
        : (consumer ?? functionsOf(null, error, complete))
    return subscribe(catching(given, report))
  }
  const piped = (...operators: readonly unknown[]): unknown => {
    const made = pipe(...operators)
    if (made === source || !(made instanceof Observable)) return made
    return catchConsumers(new Observable<unknown>((subscriber) => made.subscribe(subscriber)), report)
  }
  source.pipe = piped as Observable<T>['pipe']
  return source
}

function functionsOf<T>(
  next: ((value: T) => void) | null,
  error: ((error: unknown) => void) | null | undefined,
  complete: (() => void) | null | undefined,
): Partial<Observer<T>> {
  return { ...(next && { next }), ...(error && { error }), ...(complete && { complete }) }
}

function catching<T>(consumer: Partial<Observer<T>>, report: Report): Observer<T> {
  return {
    next: (value) => {
      try {
        consumer.next?.(value)
      } catch (error) {
        report(error)
      }
    },
    error: (failure) => {
      try {
        if (consumer.error === undefined) report(failure)
        else consumer.error(failure)
      } catch (error) {
        report(error)
      }
    },
    complete: () => {
      try {
        consumer.complete?.()
      } catch (error) {
        report(error)
      }
    },
  }
}

/** A subscriber of RxJS, of this copy or another: an operator passes its errors on. */
function isSubscriber(consumer: unknown): consumer is Observer<never> & Subscription {
  if (typeof consumer !== 'object' || consumer === null) return false
  return ['next', 'error', 'complete', 'add', 'remove', 'unsubscribe'].every((name) => {
    return typeof (consumer as Readonly<Record<string, unknown>>)[name] === 'function'
  })
}
