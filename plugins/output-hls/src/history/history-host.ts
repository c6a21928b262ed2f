// What a history is told by the presentation that it belongs to, and what it tells that.
import type { MediaFolder } from '@millrace/engine/plugin'
import type { Archive } from '../archive/archive.js'
import type { SpliceRanges } from '../playlist/splice-ranges.js'

interface HistorySettings {
  /** Length of the long playlists; 0: there are none. */
  readonly dvrMs: number
  readonly windowMs: number
  readonly isEvent: boolean
}

export interface HistoryHost {
  readonly settings: HistorySettings
  readonly renditions: readonly string[]
  readonly ranges: SpliceRanges
  /** Undefined: segments stay in memory. */
  readonly store: MediaFolder | undefined
  nowMs(): number
  /** Some node runs it. */
  isInUse(): boolean
  /** The bytes of an initialisation section. */
  initOf(name: string): Uint8Array | undefined
  /** One that the last process has used. */
  onInit(bytes: Uint8Array): void
  /** What the last process has left is read, as far as it can be. */
  onRestored(): void
  /** A part of it cannot be read. */
  onUnreadable(error: unknown): void
  /** Undefined: the disk takes segments again. */
  onProblem(problem: string | undefined): void
  /** A segment could not be kept until the disk took it. */
  onLost(): void
  /** Where all segments go too, when they are stored. */
  readonly archive: Pick<Archive, 'add' | 'giveUpWaiting'> | undefined
}
