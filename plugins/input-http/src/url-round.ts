// Which of several URLs is next. A round asks each of them once; whoever has no URL left in it has to wait.

export type UrlOrder = 'listed' | 'random'

export class UrlRound {
  readonly #count: number
  readonly #order: UrlOrder
  readonly #random: () => number
  #left: number[] = []
  #last = -1

  /** `random`: numbers in [0, 1). */
  constructor(count: number, order: UrlOrder, random: () => number) {
    this.#count = count
    this.#order = order
    this.#random = random
  }

  /** Some URL was not asked in this round. */
  get hasMore(): boolean {
    return this.#left.length > 0
  }

  /** The index of the URL to ask now; begins a round if the one before is over. */
  next(): number {
    if (this.#left.length === 0) this.#left = this.#arrange()
    this.#last = this.#left.shift() ?? 0
    return this.#last
  }

  /** The last one was good for a while: what comes next is a new round, in which it was the first. */
  restart(): void {
    this.#left = this.#arrange().filter((index) => index !== this.#last)
  }

  /** All of them: in a circle from the one after the last, or shuffled, but not the last one first. */
  #arrange(): number[] {
    const circle = Array.from({ length: this.#count }, (_, step) => (this.#last + 1 + step) % this.#count)
    if (this.#order === 'listed') return circle
    for (let at = circle.length - 1; at > 0; at--) {
      const other = Math.floor(this.#random() * (at + 1))
      const held = circle[at] ?? 0
      circle[at] = circle[other] ?? 0
      circle[other] = held
    }
    return circle[0] === this.#last ? [...circle.slice(1), this.#last] : circle
  }
}
