// When this process did not run although its timer was due. A busy machine takes as much from the programs beside it,
// which send late and in bursts then.

const TICK_MS = 20

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

export class Lateness implements Disposable {
  #lastMs = performance.now()
  readonly #spans: Span[] = []
  readonly #timer = setInterval(() => this.#note(), TICK_MS)

  /** For how long it was late between these two times of `performance.now`; by default until now. */
  ms(fromMs: number, toMs = Infinity): number {
    this.#note()
    const within = (span: Span): number => Math.min(span.toMs, toMs) - Math.max(span.fromMs, fromMs)
    return this.#spans.reduce((sum, span) => sum + Math.max(0, within(span)), 0)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #note(): void {
    const nowMs = performance.now()
    const dueMs = this.#lastMs + 2 * TICK_MS
    if (nowMs > dueMs) this.#spans.push({ fromMs: dueMs, toMs: nowMs })
    this.#lastMs = nowMs
  }
}
