// A histogram with fixed bounds, for plain counting in the data path: no labels, no allocation per observation. It is
// turned into metric rows at scrape time.

/** Seconds; from what a local viewer sees to what a person notices. */
export const DELAY_BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

export class Histogram {
  readonly #bounds: readonly number[]
  /** One more than bounds: the last one counts values above all bounds. */
  readonly #counts: Float64Array
  #sum = 0
  #count = 0

  /** Upper bounds, inclusive, increasing. */
  constructor(bounds: readonly number[]) {
    const isIncreasing = bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? bound))
    if (!isIncreasing) throw new RangeError('the bounds of a histogram must increase')
    this.#bounds = [...bounds]
    this.#counts = new Float64Array(bounds.length + 1)
  }

  /** NaN is ignored, so that one bad clock reading cannot spoil the sum forever. */
  observe(value: number): void {
    if (Number.isNaN(value)) return
    let index = 0
    while (index < this.#bounds.length && value > (this.#bounds[index] ?? Infinity)) index++
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#sum += value
    this.#count++
  }

  /** Its counts become those of a histogram that has counted the same until now; ignored if the bounds differ. */
  continueFrom(before: unknown): void {
    if (!(before instanceof Histogram) || before.#bounds.join() !== this.#bounds.join()) return
    this.#counts.set(before.#counts)
    this.#sum = before.#sum
    this.#count = before.#count
  }

  get sum(): number {
    return this.#sum
  }

  get count(): number {
    return this.#count
  }

  /** Adds what each bucket has counted, not cumulative, to `counts`; the last one is what lies above all bounds. */
  addCountsTo(counts: number[]): void {
    for (const [index, count] of this.#counts.entries()) counts[index] = (counts[index] ?? 0) + count
  }

  /** Upper bounds with cumulative counts; the last one is +Infinity and holds `count`. */
  buckets(): readonly (readonly [upperBound: number, count: number])[] {
    let total = 0
    return [...this.#bounds, Infinity].map((bound, index) => {
      total += this.#counts[index] ?? 0
      return [bound, total] as const
    })
  }
}
