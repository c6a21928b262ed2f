// The packets that are missing between those received: ranges of packet indexes in rising order. Each range says when it
// was last reported to the sender.

/** In `reportedUs`: the sender will not send it, so it is not asked for. */
const ABANDONED = Infinity
const NEVER = -Infinity

export class HoleList {
  readonly #firsts: number[] = []
  readonly #lasts: number[] = []
  readonly #reportedUs: number[] = []
  /** With a reorder tolerance: the newest packet index at which a range is reported. */
  readonly #reportAt: number[] = []
  /** Ranges that are not yet reported. */
  #unreported = 0
  #abandoned = 0
  /** All ranges before this position are abandoned, and stay so. */
  #awaitedFrom = 0
  /** What `endOfFirst` has found. */
  #endOfFirst: number | undefined
  /** Missing packets. */
  packets = 0

  get isEmpty(): boolean {
    return this.#firsts.length === 0
  }

  /** Whether there are packets to ask for. */
  get isAwaiting(): boolean {
    return this.#firsts.length > this.#abandoned
  }

  get hasUnreported(): boolean {
    return this.#unreported > 0
  }

  /** The first missing packet, or undefined. */
  get first(): number | undefined {
    return this.#firsts[0]
  }

  /** The first packet after the first missing ones that is there. To be called only if the list is not empty. */
  get endOfFirst(): number {
    return (this.#endOfFirst ??= this.#findEndOfFirst())
  }

  /** The first missing packet that may still come, or undefined. */
  get firstAwaited(): number | undefined {
    if (!this.isAwaiting) return undefined
    this.#skipAbandoned()
    return this.#firsts[this.#awaitedFrom]
  }

  /** Adds a range after all others. */
  append(first: number, last: number, reportAt: number): void {
    this.#firsts.push(first)
    this.#lasts.push(last)
    this.#reportedUs.push(NEVER)
    this.#reportAt.push(reportAt)
    this.#unreported++
    this.packets += last - first + 1
  }

  /** Removes a packet that has come. */
  remove(index: number): void {
    const at = this.#find(index)
    if (at < 0) return
    this.#shortenFirst(index)
    const first = this.#firsts[at]!
    const last = this.#lasts[at]!
    this.packets--
    if (first === last) this.#delete(at, 1)
    else if (index === first) this.#firsts[at] = index + 1
    else if (index === last) this.#lasts[at] = index - 1
    else this.#split(at, index - 1, index + 1)
  }

  /** Removes all before `index`. Returns how many packets that were. */
  removeBefore(index: number): number {
    const before = this.packets
    if (this.#endOfFirst !== undefined && index >= this.#endOfFirst) this.#endOfFirst = undefined
    let whole = 0
    while (whole < this.#lasts.length && this.#lasts[whole]! < index) {
      this.packets -= this.#lasts[whole]! - this.#firsts[whole]! + 1
      whole++
    }
    if (whole > 0) this.#delete(0, whole)
    const first = this.#firsts[0]
    if (first !== undefined && first < index) {
      this.packets -= index - first
      this.#firsts[0] = index
    }
    return before - this.packets
  }

  /** The sender has dropped these packets: those that are missing stay so, and are not asked for. */
  abandon(first: number, last: number): void {
    this.#skipAbandoned()
    for (
      let at = Math.max(this.#firstEndingFrom(first), this.#awaitedFrom);
      at < this.#firsts.length && this.#firsts[at]! <= last;
      at++
    ) {
      if (this.#reportedUs[at] === ABANDONED) continue
      if (this.#firsts[at]! < first) {
        this.#split(at, first - 1, first)
        continue
      }
      if (this.#lasts[at]! > last) this.#split(at, last, last + 1)
      if (this.#reportedUs[at] === NEVER) this.#unreported--
      this.#reportedUs[at] = ABANDONED
      this.#abandoned++
    }
  }

  /**
   * Appends to `ranges` pairs of first and last index: the ranges never reported that are due at packet `newest` (all
   * of them with `newest` Infinity), and those last reported before `beforeUs`.
   */
  collect(
    ranges: number[],
    { newest, beforeUs, nowUs, maxRanges }: { newest: number; beforeUs: number; nowUs: number; maxRanges: number },
  ): void {
    this.#skipAbandoned()
    for (let at = this.#awaitedFrom; at < this.#firsts.length && ranges.length < maxRanges * 2; at++) {
      const reported = this.#reportedUs[at]!
      const isDue = reported === NEVER ? this.#reportAt[at]! <= newest : reported <= beforeUs
      if (!isDue) continue
      if (reported === NEVER) this.#unreported--
      this.#reportedUs[at] = nowUs
      ranges.push(this.#firsts[at]!, this.#lasts[at]!)
    }
  }

  #findEndOfFirst(): number {
    let at = 0
    while (this.#firsts[at + 1] === this.#lasts[at]! + 1) at++
    return this.#lasts[at]! + 1
  }

  /** This packet has come: the first missing ones end before it, if it is among them. */
  #shortenFirst(index: number): void {
    if (this.#endOfFirst === undefined || index >= this.#endOfFirst) return
    if (index !== this.first) this.#endOfFirst = index
    else if (index + 1 === this.#endOfFirst) this.#endOfFirst = undefined
  }

  #skipAbandoned(): void {
    while (this.#reportedUs[this.#awaitedFrom] === ABANDONED) this.#awaitedFrom++
  }

  #split(at: number, firstEnd: number, secondStart: number): void {
    this.#firsts.splice(at + 1, 0, secondStart)
    this.#lasts.splice(at, 0, firstEnd)
    this.#reportedUs.splice(at, 0, this.#reportedUs[at]!)
    this.#reportAt.splice(at, 0, this.#reportAt[at]!)
    if (at < this.#awaitedFrom) this.#awaitedFrom++
    this.#count(at, 1)
  }

  #delete(at: number, count: number): void {
    for (let range = at; range < at + count; range++) this.#count(range, -1)
    if (at < this.#awaitedFrom) this.#awaitedFrom = Math.max(at, this.#awaitedFrom - count)
    this.#firsts.splice(at, count)
    this.#lasts.splice(at, count)
    this.#reportedUs.splice(at, count)
    this.#reportAt.splice(at, count)
  }

  #count(at: number, by: number): void {
    if (this.#reportedUs[at] === NEVER) this.#unreported += by
    else if (this.#reportedUs[at] === ABANDONED) this.#abandoned += by
  }

  /** The position of the range that contains `index`, or -1. */
  #find(index: number): number {
    const at = this.#firstEndingFrom(index)
    return at < this.#firsts.length && this.#firsts[at]! <= index ? at : -1
  }

  /** The position of the first range that ends at `index` or later. */
  #firstEndingFrom(index: number): number {
    let low = 0
    let high = this.#lasts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#lasts[middle]! < index) low = middle + 1
      else high = middle
    }
    return low
  }
}
