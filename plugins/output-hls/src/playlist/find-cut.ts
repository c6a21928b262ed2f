// Where the open segment ends, among the units that have come so far.
import { difference33 } from '@millrace/media/mpegts'
import type { Unit } from '../segment/unit.js'
import { follows } from './unit-search.js'

/** Ticks from the start of the segment. */
export interface CutRange {
  /** From here on it can end at a key frame. */
  readonly wanted: number
  /** It cannot be longer. */
  readonly limit: number
  /** So long a key frame is awaited that all renditions have. */
  readonly patience: number
}

interface OpenSegment {
  readonly first: Unit
  readonly start90k: number
  readonly range: CutRange
  /** All renditions have a key frame there. */
  isCommon(point: Unit): boolean
}

interface FoundCut {
  /** `point`: a key frame in time. `break`: the stream does not continue. `long`: there is none within the limit. */
  readonly why: 'point' | 'break' | 'long'
  readonly unit: Unit
  /** The last one before it. */
  readonly before: Unit
}

/** Undefined: more has to come. */
export function findCut(units: readonly Unit[], open: OpenSegment): FoundCut | undefined {
  const { first, start90k, range } = open
  let before = first
  let alone: Unit | undefined
  for (let index = units.indexOf(first) + 1; index < units.length; index++) {
    const unit = units[index]!
    const ticks = difference33(unit.pts90k, start90k)
    if (unit.isPoint && isBreak(unit, before, ticks)) return { why: 'break', unit, before }
    if (unit.isPoint && ticks >= range.wanted && ticks <= range.limit) {
      if (open.isCommon(unit)) return { why: 'point', unit, before }
      alone ??= unit
    }
    if (alone !== undefined && ticks > range.patience) return { why: 'point', unit: alone, before }
    if (ticks > range.limit) return { why: 'long', unit, before }
    if (unit.isLatest) before = unit
  }
  return undefined
}

function isBreak(unit: Unit, before: Unit, ticks: number): boolean {
  return unit.brokenAt90k !== undefined || unit.isNew || !follows(unit, before) || ticks <= 0
}
