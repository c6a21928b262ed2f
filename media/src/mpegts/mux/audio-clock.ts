// The presentation times of an audio track, counted in samples. Stamps in milliseconds are off by up to one: played as
// they are, they crackle.

const TICKS_PER_SECOND = 90_000

export class AudioClock {
  readonly #sync90k: number
  #base90k = 0
  #seconds = 0
  #samples = 0
  #sampleRate = 0
  #last90k = -Infinity
  #isRunning = false
  /** The last frame did not follow the one before it sample by sample. */
  hasGap = false

  /** `sync90k`: how far stamps may be from the count before they put it right. */
  constructor(sync90k: number) {
    this.#sync90k = sync90k
  }

  /** The next stamp begins a new count. */
  reset(): void {
    this.#isRunning = false
    this.#last90k = -Infinity
  }

  /** The time of a frame; never before the one before it. */
  next(stamp90k: number, samples: number, sampleRate: number): number {
    const expected = this.expected90k
    const goesOn = this.#isRunning && sampleRate === this.#sampleRate && Math.abs(stamp90k - expected) <= this.#sync90k
    if (!goesOn) this.#restart(Math.max(stamp90k, this.#last90k + 1), sampleRate)
    this.hasGap = !goesOn
    const time90k = this.expected90k
    this.#last90k = time90k
    this.#count(samples)
    return time90k
  }

  get expected90k(): number {
    return Math.round(this.#base90k + (this.#seconds + this.#samples / this.#sampleRate) * TICKS_PER_SECOND)
  }

  #restart(stamp90k: number, sampleRate: number): void {
    this.#base90k = stamp90k
    this.#seconds = 0
    this.#samples = 0
    this.#sampleRate = sampleRate
    this.#isRunning = true
  }

  /** Whole seconds apart: the sum of fractions would drift. */
  #count(samples: number): void {
    this.#samples += samples
    while (this.#samples >= this.#sampleRate) {
      this.#samples -= this.#sampleRate
      this.#seconds++
    }
  }
}
