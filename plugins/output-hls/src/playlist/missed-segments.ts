// Renditions that flow and yet are left out of one segment after the other: they have no key frames where the others have.
import type { Rendition } from '../rendition.js'

/** In a row. A rendition that comes back may miss one or two. */
const MOST = 3
const SILENT_MS = 1000

export class MissedSegments {
  readonly #missed = new Map<string, number>()

  /** Called for each segment, with the names of those that are in it. Returns a rendition that has missed too many. */
  note(renditions: readonly Rendition[], present: ReadonlyMap<string, unknown>, nowMs: number): string | undefined {
    // A gap in all of them says nothing about their key frames.
    if (present.size === 0) return undefined
    let found: string | undefined
    for (const { name, collector } of renditions) {
      const flows = collector.isOpen && nowMs - collector.lastChunkMs <= SILENT_MS
      const missed = flows && !present.has(name) ? (this.#missed.get(name) ?? 0) + 1 : 0
      this.#missed.set(name, missed)
      if (missed >= MOST) found ??= name
    }
    return found
  }
}
