// What listeners provide, as one node sees it: values arrive in its scope, what its consumers throw fails it, and it sees
// nothing after it has ended.
import { Observable, type Subscription } from 'rxjs'
import type { Provided } from '../../plugin/listener.js'
import { catchConsumers } from '../edge/catch-consumers.js'

export class ScopedProvided {
  readonly #enter: (run: () => void) => void
  readonly #subscriptions = new Set<Subscription>()

  constructor(enter: (run: () => void) => void) {
    this.#enter = enter
  }

  scope<T>(provided: Provided<T>): Provided<T> {
    const fail = (error: unknown): void => {
      this.#enter(() => {
        throw error
      })
    }
    const value$ = new Observable<T | undefined>((subscriber) => {
      const subscription = provided.value$.subscribe((value) => this.#enter(() => subscriber.next(value)))
      this.#subscriptions.add(subscription)
      return () => {
        this.#subscriptions.delete(subscription)
        subscription.unsubscribe()
      }
    })
    return {
      name: provided.name,
      get value() {
        return provided.value
      },
      value$: catchConsumers(value$, fail),
    }
  }

  /** The node has ended. Safe twice. */
  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe()
    this.#subscriptions.clear()
  }
}
