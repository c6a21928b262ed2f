// The packets to send again: ranges of packet indexes in rising order, merged where they touch.

export class LossRanges {
  readonly #firsts: number[] = []
  readonly #lasts: number[] = []
  packets = 0

  get isEmpty(): boolean {
    return this.#firsts.length === 0
  }

  add(first: number, last: number): void {
    let low = 0
    let high = this.#lasts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#lasts[middle]! < first - 1) low = middle + 1
      else high = middle
    }
    let end = low
    let from = first
    let to = last
    while (end < this.#firsts.length && this.#firsts[end]! <= last + 1) {
      from = Math.min(from, this.#firsts[end]!)
      to = Math.max(to, this.#lasts[end]!)
      this.packets -= this.#lasts[end]! - this.#firsts[end]! + 1
      end++
    }
    this.packets += to - from + 1
    this.#firsts.splice(low, end - low, from)
    this.#lasts.splice(low, end - low, to)
  }

  /** Removes and returns the first packet. */
  shift(): number | undefined {
    const first = this.#firsts[0]
    if (first === undefined) return undefined
    this.removeBefore(first + 1)
    return first
  }

  removeBefore(index: number): void {
    let whole = 0
    while (whole < this.#lasts.length && this.#lasts[whole]! < index) {
      this.packets -= this.#lasts[whole]! - this.#firsts[whole]! + 1
      whole++
    }
    if (whole > 0) {
      this.#firsts.splice(0, whole)
      this.#lasts.splice(0, whole)
    }
    const first = this.#firsts[0]
    if (first === undefined || first >= index) return
    this.packets -= index - first
    this.#firsts[0] = index
  }
}
