// What the cut planner decides, and by which rules: one segment of all renditions, or a gap.
import type { Unit } from '../segment/unit.js'
import type { AlignedSlots } from './aligned-slots.js'

/** Part of what a collector keeps. */
export interface Slice {
  readonly from: number
  readonly to: number
  /** The unit it begins with. */
  readonly first: Unit
  /** What follows it in the stream is missing. */
  readonly isBroken: boolean
}

export interface PlannedSegment {
  readonly ticks: number
  readonly start90k: number
  /** A decoder has to start anew. */
  readonly isNew: boolean
  /** When its first bytes arrived. */
  readonly receivedAtMs: number
  /** For each rendition; undefined where it has nothing. */
  readonly slices: readonly (Slice | undefined)[]
  /** It ends although no key frame follows. */
  readonly isForced: boolean
  /** With `slicing: aligned`, the slot in which it begins. */
  readonly slot: number | undefined
}

/** In ticks of 90 kHz, read whenever they are needed. */
export interface CutRules {
  /** Wanted length. */
  readonly segment: number
  /** The longest segment that its playlist allows. */
  readonly limit: number
  /** So long a key frame is awaited that all renditions have. */
  readonly patience: number
  /** Length of one gap: the target duration. */
  readonly target: number
  /** The most that is bridged with gaps. */
  readonly longestHole: number
}

export interface CutHost {
  readonly rules: CutRules
  /** With `slicing: aligned`. */
  readonly slots: AlignedSlots | undefined
  wallMs(monotonicMs: number): number
  /** Ticks from there to the next splice, at which a segment should begin; undefined if none is known. */
  spliceAfter(start90k: number): number | undefined
  segment(planned: PlannedSegment): void
  /** Media has been left out: what follows does not continue its counters. */
  leftOut(): void
  /** Nothing can be shown for this long. False: the playlist has no room for it. */
  gap(ticks: number, slot?: number): boolean
}
