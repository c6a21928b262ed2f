// What a window usually takes, for `usualMemory` of outputs.
import type { StreamWindowBounds } from './stream-window.js'

/** While viewers keep up. */
export interface UsualMemory {
  /** Whatever the number of viewers. */
  readonly sharedBytes: number
  /** Of each viewer, in the process. By default not said. */
  readonly viewerBytes?: number
}

/** Whole blocks: the one that is being filled, and those that wait for reuse. See engine/src/deliver/window-memory.ts. */
const BLOCKS = 1.1

/** Memory of a window that has been filled at this bit rate. */
export function usualWindowBytes({ durationMs, sizeBytes }: StreamWindowBounds, bitsPerSecond: number): number {
  return Math.min(sizeBytes, Math.ceil((durationMs / 8000) * bitsPerSecond * BLOCKS))
}
