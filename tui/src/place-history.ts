// Where the person has been, to go back and forward to: views, nodes, and the copies of pattern pipelines.
import type { View } from './input/commands.js'

export interface Spot {
  readonly view: View
  readonly node: string | undefined
  readonly pattern: string | undefined
}

const MOST = 100

export class PlaceHistory {
  readonly #spots: Spot[]
  #at = 0
  /** Before the last change of place. */
  #last: Spot

  constructor({ view, node, pattern }: Spot) {
    this.#last = { view, node, pattern }
    this.#spots = [this.#last]
  }

  /** Where the person was before; going there makes this place the last one. */
  get last(): Spot {
    return this.#last
  }

  /** Where the person is now; what was ahead is forgotten if that is a new place. */
  note({ view, node, pattern }: Spot): void {
    const current = this.#current
    if (current.view === view && current.node === node && current.pattern === pattern) return
    this.#last = current
    this.#spots.splice(this.#at + 1, Infinity, { view, node, pattern })
    if (this.#spots.length > MOST) this.#spots.shift()
    this.#at = this.#spots.length - 1
  }

  /** Undefined at the ends. */
  go(by: -1 | 1): Spot | undefined {
    const spot = this.#spots[this.#at + by]
    if (spot === undefined) return undefined
    this.#last = this.#current
    this.#at += by
    return spot
  }

  get #current(): Spot {
    return this.#spots[this.#at] ?? this.#last
  }
}
