// Work that comes in crowds, done a few pieces in each turn of the event loop, first come first served, so that what
// else the loop has to do goes on. Up to the limit of a turn it is done at once.

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

  /** Items that wait. */
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
