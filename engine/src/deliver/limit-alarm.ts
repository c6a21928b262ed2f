// Tells when a number of viewers reaches a limit, and when it has come down from it again. Down means a twentieth below,
// so that one viewer who comes and goes at the limit is not news every time.

export type LimitEvent = 'limit_hit' | 'limit_miss'

const HYSTERESIS = 0.05

export class LimitAlarm {
  #isHit = false

  /** The limit is reached, or was and the number has not come down far enough. */
  get isHit(): boolean {
    return this.#isHit
  }

  /** Called with each new number, or limit; 0 for no limit. What has changed; undefined if nothing has. */
  update(count: number, limit: number): LimitEvent | undefined {
    if (!this.#isHit && limit > 0 && count >= limit) {
      this.#isHit = true
      return 'limit_hit'
    }
    const isOver = limit === 0 || count <= limit - Math.max(1, Math.floor(limit * HYSTERESIS))
    if (!this.#isHit || !isOver) return undefined
    this.#isHit = false
    return 'limit_miss'
  }
}
