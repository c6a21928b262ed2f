// What a listener provides to other nodes: one object for the life of the listener, with the value of the node that is
// open now.
import { BehaviorSubject, type Observable } from 'rxjs'
import type { Provided } from '../plugin/listener.js'

export class ProvidedValue implements Provided<unknown> {
  readonly name: string
  readonly #values = new BehaviorSubject<unknown>(undefined)
  readonly value$: Observable<unknown> = this.#values.asObservable()

  constructor(name: string) {
    this.name = name
  }

  get value(): unknown {
    return this.#values.value
  }

  set(value: unknown): void {
    if (value !== this.#values.value) this.#values.next(value)
  }
}
