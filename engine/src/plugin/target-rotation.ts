// Chooses the next of several upstreams of an input. A round tries each of them once; when none is left in the round, the
// caller has to wait.

/** An upstream that streamed for this long was good. */
const GOOD_MS = 5_000

export type TargetOrder = 'listed' | 'random'

export class TargetRotation {
  readonly #count: number
  readonly #order: TargetOrder
  readonly #random: () => number
  #left: number[] = []
  #last = -1

  /** `random`: numbers in [0, 1). */
  constructor(count: number, order: TargetOrder, random: () => number) {
    this.#count = count
    this.#order = order
    this.#random = random
  }

  /** The index that `next` will return. Begins a new round, without the last upstream, if this one is over. */
  get upcoming(): number {
    if (this.#left.length === 0) this.#restart()
    return this.#left[0] ?? Math.max(0, this.#last)
  }

  /** Returns the index of the upstream to try now; begins a new round if the last one is over. */
  next(): number {
    if (this.#left.length === 0) this.#left = this.#arrange()
    this.#last = this.#left.shift() ?? 0
    return this.#last
  }

  /**
   * The last upstream has failed, after streaming for this long. Returns what the error says about the next attempt: it is
   * made at once while an upstream is left in this round. The end of one that was good begins a new round.
   */
  failed(streamedMs: number): { readonly retryAfterMs?: 0 } {
    if (streamedMs >= GOOD_MS) this.#restart()
    return this.#left.length > 0 ? { retryAfterMs: 0 } : {}
  }

  /** The round counts the last upstream as already tried. */
  #restart(): void {
    this.#left = this.#arrange().filter((index) => index !== this.#last)
  }

  /** All indexes: in listed order from the one after the last, or shuffled with the last one not first. */
  #arrange(): number[] {
    const order = Array.from({ length: this.#count }, (_, step) => (this.#last + 1 + step) % this.#count)
    if (this.#order === 'listed') return order
    for (let at = order.length - 1; at > 0; at--) {
      const other = Math.floor(this.#random() * (at + 1))
      const swapped = order[at] ?? 0
      order[at] = order[other] ?? 0
      order[other] = swapped
    }
    return order[0] === this.#last ? [...order.slice(1), this.#last] : order
  }
}
