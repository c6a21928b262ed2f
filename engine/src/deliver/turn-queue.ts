// Bursts of work, done a few items in each turn of the event loop, first in first out, so that the loop's other work is
// not delayed. Up to the limit of a turn, items are done at once.

export class TurnQueue<T> {
  readonly #perTurn: number
  readonly #run: (item: T) => void
  #items: T[] = []
  #taken = 0
  #done = 0
  #isScheduled = false

  constructor(perTurn: number, run: (item: T) => void) {
    this.#perTurn = perTurn
    this.#run = run
  }

  /** Number of waiting items. */
  get length(): number {
    return this.#items.length - this.#taken
  }

  add(item: T): void {
    if (this.length === 0 && this.#done < this.#perTurn) this.#do(item)
    else this.#items.push(item)
    this.#schedule()
  }

  #do(item: T): void {
    this.#done++
    this.#run(item)
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#isScheduled = false
    this.#done = 0
    while (this.#done < this.#perTurn && this.#taken < this.#items.length) {
      const item = this.#items[this.#taken++]
      if (item !== undefined) this.#do(item)
    }
    if (this.length > 0) return this.#schedule()
    this.#items = []
    this.#taken = 0
  }
}
