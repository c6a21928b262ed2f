// Reports when the number of viewers reaches a limit, and when it has fallen below it again. Below means a twentieth
// less, so that one viewer joining and leaving at the limit does not raise an event each time.

export type LimitEvent = 'limit_hit' | 'limit_miss'

const HYSTERESIS = 0.05

export class LimitAlarm {
  #isHit = false

  /** The limit is reached, or was reached and the number has not fallen far enough since. */
  get isHit(): boolean {
    return this.#isHit
  }

  /** Called with each new number or limit; 0 for no limit. Returns the event; undefined if nothing has changed. */
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
