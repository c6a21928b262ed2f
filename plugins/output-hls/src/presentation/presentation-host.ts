// What a presentation is told by the node that runs it, and what it tells that node.
import type { MediaFolder, MediaMemory } from '@millrace/engine/plugin'
import type { SavedKeys } from '../playlist/keys.js'
import type { Naming } from '../playlist/segment-names.js'
import type { SavedNumbers } from '../playlist/start-numbers.js'

export interface PresentationSettings {
  readonly segmentMs: number
  /** Segments begin at key frames; or the first of each multiple of `segmentMs`, alike in all origins. */
  readonly slicing: 'keyframe' | 'aligned'
  readonly windowMs: number
  /** Length of the long playlists; 0: there are none. */
  readonly dvrMs: number
  /** How long the archive keeps segments. */
  readonly keepMs: number
  /** Its size; undefined: no limit. */
  readonly archiveBytes: number | undefined
  /** Nothing leaves the playlists until they end. */
  readonly isEvent: boolean
  /** Seconds; undefined: chosen when the first segment is complete. */
  readonly targetDuration: number | undefined
  readonly longestHoleMs: number
  readonly endAfterMs: number
  /** What has no key frame in front is a gap. */
  readonly isIndependent: boolean
  readonly naming: Naming
  readonly memoryBytes: number
  /** Segments with the same key, 0: all of them; undefined: they are not encrypted. */
  readonly keyRotation: number | undefined
}

/** The node that runs it. */
export interface PresentationHost {
  readonly settings: PresentationSettings
  nowMs(): number
  wallMs(monotonicMs: number): number
  /** Where segments are stored; undefined: in memory. */
  readonly store: MediaFolder | undefined
  /** Where they are archived; undefined: nowhere. */
  readonly archive: MediaFolder | undefined
  /** Undefined: the disk takes segments again. */
  onDiskProblem(of: 'store' | 'archive', problem: string | undefined): void
  openMemory(limitBytes: number): MediaMemory
  /** Calls `run` as soon as other work has had its turn. */
  later(run: () => void): void
  /** There is a new version of the playlists. */
  onPublished(): void
  /** A segment is listed whose first unit arrived at that time. */
  onListed(receivedAtMs: number): void
  save(numbers: SavedNumbers): void
  saveKeys(keys: SavedKeys): void
  warn(what: PresentationWarning, data: WarningData): void
}

/** Told once each, until it is told again by another life. */
export type PresentationWarning =
  'unreadable' | 'long-gop' | 'memory' | 'splice' | 'refused' | 'unaligned' | 'disk-behind'

export type WarningData = Readonly<Record<string, number | string>>
