// Verdicts of the hook for as long as they may be relied on, a bounded number. Keys are digests with a key that only this
// process knows, so that no secret is kept; allowed clients are kept apart, so that guesses do not evict them.
import { createHmac, randomBytes } from 'node:crypto'
import type { AuthVerdict } from '@millrace/engine/plugin'

const MOST = 5000

interface Kept {
  readonly verdict: AuthVerdict
  readonly untilMs: number
}

export class AnswerCache {
  readonly #key = randomBytes(32)
  readonly #most: number
  readonly #allowed = new Map<string, Kept>()
  readonly #denied = new Map<string, Kept>()

  /** `most`: of each kind. */
  constructor(most: number = MOST) {
    this.#most = most
  }

  get size(): number {
    return this.#allowed.size + this.#denied.size
  }

  keyOf(question: string): string {
    return createHmac('sha256', this.#key).update(question).digest('base64')
  }

  get(key: string, nowMs: number): AuthVerdict | undefined {
    for (const kept of [this.#allowed, this.#denied]) {
      const found = kept.get(key)
      if (found === undefined) continue
      if (found.untilMs > nowMs) return found.verdict
      kept.delete(key)
    }
    return undefined
  }

  set(key: string, verdict: AuthVerdict, untilMs: number): void {
    const kept = verdict.allowed ? this.#allowed : this.#denied
    kept.delete(key)
    const [oldest] = kept.keys()
    if (kept.size >= this.#most && oldest !== undefined) kept.delete(oldest)
    kept.set(key, { verdict, untilMs })
  }

  clear(): void {
    this.#allowed.clear()
    this.#denied.clear()
  }
}
