// What a route knows of the source behind it.

export interface SourceView {
  /** Why it has nothing to start at, in words that viewers may read; empty if it has, or if that is unknown. */
  whyOffline(): string
  /** When it was last lost, monotonic: nobody starts at an entry that was received before. -Infinity if it never was. */
  lostAtMs(): number
}

export const UNKNOWN_SOURCE: SourceView = { whyOffline: () => '', lostAtMs: () => -Infinity }
