// Keeps a bounded number of results for a limited time: if it is full, the oldest is evicted.

interface Kept<T> {
  readonly value: T
  readonly untilMs: number
}

export class BoundedCache<T> {
  readonly #most: number
  readonly #ttlMs: number
  readonly #kept = new Map<string, Kept<T>>()

  constructor(most: number, ttlMs: number) {
    this.#most = most
    this.#ttlMs = ttlMs
  }

  get size(): number {
    return this.#kept.size
  }

  get(key: string, nowMs: number): T | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    if (kept.untilMs > nowMs) return kept.value
    this.#kept.delete(key)
    return undefined
  }

  set(key: string, value: T, nowMs: number): void {
    this.#kept.delete(key)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= this.#most && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(key, { value, untilMs: nowMs + this.#ttlMs })
  }
}
