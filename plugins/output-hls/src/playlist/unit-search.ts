// Finds units of a rendition by time, on the 33-bit clock.
import { difference33 } from '@millrace/media/mpegts'
import type { Collector } from '../segment/collector.js'
import type { Unit } from '../segment/unit.js'
import type { AlignedSlots } from './aligned-slots.js'

/** Renditions agree about the time of a key frame if they differ by no more than 20 ms. */
const TOLERANCE = 1800
/** A shorter hole belongs to the segment before it: 0.3 s. */
const SHORT_HOLE = 27_000
/** A clock that goes back by this, or jumps ahead by more than a hole, is another one: 0.1 s. */
export const BACKWARDS = 9000
/** A jump within a stream that is nowhere broken: 10 s. */
const JUMP = 900_000
/** A rendition of which nothing came for this long is not waited for. */
const SILENT_MS = 1500

/** The key frame at that time. */
export function findPoint(units: readonly Unit[], pts90k: number): Unit | undefined {
  return units.find((unit) => unit.isPoint && Math.abs(difference33(unit.pts90k, pts90k)) <= TOLERANCE)
}

/** The key frame at that time, else the first unit behind it. */
export function findUnit(units: readonly Unit[], pts90k: number): Unit | undefined {
  return findPoint(units, pts90k) ?? units.find((unit) => difference33(unit.pts90k, pts90k) >= 0 && unit.isLatest)
}

/** The last place to cut in the first `limit` ticks: a key frame if there is one, else a picture. */
export function lastBefore(units: readonly Unit[], start90k: number, limit: number): Unit | undefined {
  const isInside = ({ pts90k, isLatest }: Unit): boolean => {
    const ticks = difference33(pts90k, start90k)
    return isLatest && ticks > 0 && ticks <= limit
  }
  return units.findLast((unit) => unit.isPoint && isInside(unit)) ?? units.findLast(isInside)
}

/** The first picture to cut at within this time. */
export function firstBetween(units: readonly Unit[], start90k: number, from: number, to: number): Unit | undefined {
  return units.find(({ pts90k, isLatest }) => {
    const ticks = difference33(pts90k, start90k)
    return isLatest && ticks >= from && ticks <= to
  })
}

/** What is before it is known, and it is the first point in its slot. */
export function isFirstInSlot(point: Unit, units: readonly Unit[], slots: AlignedSlots): boolean {
  const before = units.slice(0, units.indexOf(point))
  const isEarlier = ({ pts90k }: Unit): boolean => slots.slotOf(pts90k) < slots.slotOf(point.pts90k)
  return before.some(isEarlier) && before.every((each) => !each.isPoint || isEarlier(each))
}

export function isSilent({ lastChunkMs }: Collector, nowMs: number): boolean {
  return nowMs - lastChunkMs > SILENT_MS
}

/** Nothing, or next to nothing, is missing between the two. */
export function follows(unit: Unit, before: Unit): boolean {
  if (unit.brokenAt90k === undefined) return isStep(difference33(unit.pts90k, before.pts90k), JUMP)
  return isStep(difference33(unit.pts90k, unit.brokenAt90k), SHORT_HOLE)
}

function isStep(ticks: number, most: number): boolean {
  return ticks >= -BACKWARDS && ticks <= most
}

/** A rendition other than the leading one has all of the segment. */
export function isWholeUntil(
  { units }: Collector,
  first: Unit | undefined,
  end: Unit | undefined,
  { end90k, next }: { readonly end90k: number; readonly next: Unit | undefined },
): boolean {
  if (end === undefined) return next === undefined
  if (end.brokenAt90k !== undefined && difference33(end90k, end.brokenAt90k) > SHORT_HOLE) return false
  return !units.some((unit) => {
    const isInside = first !== undefined && unit.at > first.at && unit.at < end.at
    return isInside && (unit.brokenAt90k !== undefined || unit.isNew)
  })
}
