// Why viewers of one output were refused in the last minute, for `engine explain`: the newest of each reason.

const MOST_REASONS = 32
const WINDOW_MS = 60_000

export interface RecentRefusal {
  readonly reason: string
  readonly status: number
}

export class RecentRefusals {
  readonly #byReason = new Map<string, { readonly status: number; readonly atMs: number }>()

  note(reason: string, status: number, nowMs: number): void {
    // The newest is last.
    this.#byReason.delete(reason)
    this.#byReason.set(reason, { status, atMs: nowMs })
    if (this.#byReason.size <= MOST_REASONS) return
    const [oldest = ''] = this.#byReason.keys()
    this.#byReason.delete(oldest)
  }

  /** Newest first. */
  list(nowMs: number): readonly RecentRefusal[] {
    const recent = [...this.#byReason].filter(([, { atMs }]) => nowMs - atMs < WINDOW_MS)
    return recent.map(([reason, { status }]) => ({ reason, status })).reverse()
  }
}
