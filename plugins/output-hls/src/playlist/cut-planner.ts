// Decides where all renditions of an output are cut: one list of segments and gaps for all of them. Times are compared
// on the 33-bit clock, relative to the start of the open segment, so a wrap is nothing special. No timers, no bytes.
import { difference33, mod33 } from '@millrace/media/mpegts'
import type { Collector } from '../segment/collector.js'
import type { Unit } from '../segment/unit.js'
import type { AlignedSlots } from './aligned-slots.js'
import { type Cut, cutAt } from './cut.js'
import { CutBudget } from './cut-budget.js'
import { type CutRange, findCut } from './find-cut.js'
import type { CutHost } from './planned-segment.js'
import {
  BACKWARDS,
  findPoint,
  findUnit,
  firstBetween,
  follows,
  isFirstInSlot,
  isSilent,
  isWholeUntil,
  lastBefore,
} from './unit-search.js'

/** A key frame that comes this much early, as a share of the segment, is in time. */
const EARLY_SHARE = 0.1
/** 1 ms. */
const ROUNDING = 90
/** What a break leaves of a segment is worth showing if it is as long: 0.1 s. */
const SHORTEST = 9000
/** What a last picture is assumed to last: 40 ms. */
const FRAME = 3600

interface OpenState {
  readonly kind: 'open'
  readonly start90k: number
  readonly slot: number | undefined
  readonly isNew: boolean
  /** Where renditions continue; the others begin at a key frame near the start. */
  readonly from: readonly (Unit | undefined)[]
}

interface HoleState {
  readonly kind: 'hole'
  /** Where the next segment would begin. */
  readonly start90k: number
  /** Where the media before it ended. */
  readonly end90k: number
  /** Gaps written so far. */
  readonly holeTicks: number
  /** With slots, the date of `start90k`; the clock may be another one when the stream comes back. */
  readonly date90k: number
}

export class CutPlanner {
  readonly #collectors: readonly Collector[]
  readonly #host: CutHost
  #state: { readonly kind: 'waiting' } | OpenState | HoleState = { kind: 'waiting' }
  /** The next segment is not continuous, whatever the stream says. */
  #isNew: boolean
  #openedMs = -Infinity
  readonly #budget = new CutBudget()

  /** `isNew`: the first segment begins with a discontinuity. */
  constructor(collectors: readonly Collector[], host: CutHost, isNew: boolean) {
    this.#collectors = collectors
    this.#host = host
    this.#isNew = isNew && host.slots === undefined
  }

  /** It is between two segments, and nothing comes. */
  get isInHole(): boolean {
    return this.#state.kind === 'hole'
  }

  /** When the open segment began, if nothing was open before it; monotonic. */
  get openedMs(): number {
    return this.#openedMs
  }

  /** The next segment begins with a discontinuity; with slots, only if its clock is another one. */
  restart(): void {
    this.#isNew = this.#host.slots === undefined
    this.#state = { kind: 'waiting' }
  }

  /** Call after each chunk. */
  advance(nowMs: number): void {
    while (this.#budget.isLeft(nowMs) && this.#step(nowMs)) this.#budget.take()
  }

  /** Nothing has been published for too long: what there is becomes a segment, and the hole begins. */
  beginHole(nowMs: number): void {
    const state = this.#state
    if (state.kind !== 'open') return
    const lead = this.#lead(nowMs)
    const { latest90k } = lead
    const end90k = this.#within(state, lead.end90k)
    const hasMedia = difference33(latest90k, state.start90k) >= 0 && lead.units.length > 0
    if (hasMedia) this.#publish(state, { end90k, next: undefined, isForced: false }, nowMs)
    else {
      this.#isNew ||= state.isNew
      this.#host.leftOut()
    }
    for (const collector of this.#collectors) {
      collector.requirePoint()
      collector.drop(collector.end)
    }
    const from = hasMedia ? end90k : state.start90k
    this.#enterHole(from)
  }

  /** The hole goes on for one more target duration. False: it does not get longer in the playlist. */
  extendHole(): boolean {
    const state = this.#state
    if (state.kind !== 'hole') return false
    const { target, longestHole } = this.#host.rules
    const { slots } = this.#host
    const ticks = slots === undefined ? target : slots.gapAt(state.date90k, target)
    if (state.holeTicks + ticks > longestHole || !this.#host.gap(ticks, slots?.next)) return false
    const [start90k, holeTicks] = [mod33(state.start90k + ticks), state.holeTicks + ticks]
    this.#state = { ...state, start90k, holeTicks, date90k: state.date90k + ticks }
    return true
  }

  /** The streams have ended: publishes what is left. */
  finish(nowMs: number): void {
    while (this.#step(nowMs));
    const state = this.#state
    if (state.kind !== 'open') return
    const { end90k: last90k, latest90k } = this.#lead(nowMs)
    const end90k = this.#within(state, last90k)
    if (difference33(latest90k, state.start90k) >= 0) {
      this.#publish(state, { end90k, next: undefined, isForced: false }, nowMs)
    }
    this.restart()
  }

  /**
   * The first rendition that flows and has the start of the open segment: one that comes back late has what is over. Else the
   * first one that flows; the first one if none does.
   */
  #lead(nowMs: number): Collector {
    const isFlowing = (each: Collector): boolean => each.units.length > 0 && !isSilent(each, nowMs)
    const current = this.#collectors.find((each, index) => isFlowing(each) && this.#hasStart(each, index))
    const flowing = current ?? this.#collectors.find(isFlowing)
    return flowing ?? this.#collectors.find(({ units }) => units.length > 0) ?? this.#collectors[0]!
  }

  #hasStart({ units }: Collector, index: number): boolean {
    const state = this.#state
    return state.kind !== 'open' || (state.from[index] ?? findPoint(units, state.start90k)) !== undefined
  }

  #step(nowMs: number): boolean {
    const state = this.#state
    if (state.kind === 'waiting') return this.#begin(nowMs)
    if (state.kind === 'hole') return this.#resume(state, nowMs)
    return this.#cut(state, nowMs)
  }

  /** Begins with the first point that all renditions have, or that the leading one has if the others take too long. */
  #begin(nowMs: number): boolean {
    const lead = this.#lead(nowMs)
    const { slots } = this.#host
    const points = slots === undefined ? lead.units.filter(({ isPoint }) => isPoint) : this.#slotStarts(lead, slots)
    const [first] = points
    if (first === undefined) return false
    const others = this.#collectors.filter((each) => each !== lead)
    const common = points.find(({ pts90k }) => others.every((each) => findPoint(each.units, pts90k) !== undefined))
    const waited = difference33(lead.latest90k, first.pts90k)
    if (common === undefined && waited < this.#host.rules.segment && others.length > 0) return false
    this.#openedMs = nowMs
    this.#open(common ?? first)
    return true
  }

  /** Where an origin that has run for longer begins segments too. Behind a change of the clock, all begin alike. */
  #slotStarts({ units }: Collector, slots: AlignedSlots): readonly Unit[] {
    const first = units.find(({ isPoint }) => isPoint)
    if (first === undefined) return []
    const isOther = slots.place(first.pts90k, this.#host.wallMs(first.receivedAtMs))
    this.#isNew ||= isOther
    return units.filter((unit) => {
      const isStart = unit.isPoint && slots.startAt(unit.pts90k, this.#host.rules.limit) !== undefined
      return isStart && ((isOther && unit === first) || isFirstInSlot(unit, units, slots))
    })
  }

  #open(first: Unit, from: readonly (Unit | undefined)[] = []): void {
    const isNew = this.#isNew || first.isNew || from.some((unit) => unit?.isNew)
    const { slots, rules } = this.#host
    const slot = slots?.startAt(first.pts90k, rules.limit)
    this.#isNew = false
    if (slots !== undefined && slot === undefined) {
      this.#isNew = isNew
      return this.#enterHole(first.pts90k)
    }
    this.#state = { kind: 'open', start90k: first.pts90k, slot, isNew, from }
  }

  #enterHole(start90k: number): void {
    const date90k = this.#host.slots?.dateOf(start90k) ?? 0
    this.#state = { kind: 'hole', start90k, end90k: start90k, holeTicks: 0, date90k }
  }

  #cut(state: OpenState, nowMs: number): boolean {
    const lead = this.#lead(nowMs)
    const { units } = lead
    const first = state.from[this.#collectors.indexOf(lead)] ?? findPoint(units, state.start90k)
    if (first === undefined) return this.#skipTo(state, lead)
    const range = this.#range(state, first)
    const isCommon = (unit: Unit): boolean => this.#isCommon(unit, lead, nowMs)
    const found = findCut(units, { first, start90k: state.start90k, range, isCommon })
    if (found === undefined) return false
    const { why, unit, before } = found
    if (why === 'break') return this.#cutAtBreak(state, unit, before, nowMs)
    return why === 'long' ? this.#cutEarly(state, lead, range, nowMs) : this.#publish(state, cutAt(unit), nowMs)
  }

  /** When a segment can end at a key frame, ticks from its start. */
  #range({ slot, start90k }: OpenState, first: Unit): CutRange {
    const { segment, limit, patience } = this.#host.rules
    const { slots } = this.#host
    if (slots !== undefined && slot !== undefined) {
      // The same for all origins, wherever in its slot the segment began.
      const wanted = slots.untilEnd(slot, start90k)
      return { wanted, limit: wanted + Math.min(slots.length - 1, Math.max(0, limit - slots.length)), patience }
    }
    // After a cut without a key frame, the next key frame is the place to be in step again.
    const wanted = first.isPoint ? segment * (1 - EARLY_SHARE) : 1
    return { wanted: Math.min(wanted, this.#host.spliceAfter(start90k) ?? wanted), limit, patience }
  }

  /** No key frame within the limit: at the last one that there is, else at the last picture; with slots at the first. */
  #cutEarly(state: OpenState, lead: Collector, range: CutRange, nowMs: number): boolean {
    const { limit } = this.#host.rules
    const next =
      state.slot === undefined
        ? lastBefore(lead.units, state.start90k, limit)
        : firstBetween(lead.units, state.start90k, range.wanted, Math.min(limit, range.limit))
    if (next !== undefined) {
      return this.#publish(state, cutAt(next), nowMs)
    }
    // One picture lasts longer than a segment may: it is shown, and then there is a hole.
    const after = lead.units.find(({ pts90k }) => difference33(pts90k, state.start90k) > limit)
    const end90k = mod33(state.start90k + this.#host.rules.target)
    if (!this.#publish(state, { end90k, next: undefined, to: after?.at ?? lead.end, isForced: true }, nowMs))
      return false
    this.#enterHole(end90k)
    return true
  }

  /** The leading rendition has changed, or lost its place: goes on with the next point that it has. */
  #skipTo(state: OpenState, lead: Collector): boolean {
    const point = lead.units.find(({ isPoint }) => isPoint)
    if (point === undefined) return false
    this.#enterHole(state.start90k)
    this.#isNew ||= state.isNew
    return true
  }

  /** The segment ends with its last picture. A short hole behind it is made part of it. */
  #cutAtBreak(state: OpenState, unit: Unit, before: Unit, nowMs: number): boolean {
    const ticks = difference33(unit.pts90k, state.start90k)
    const isNear = ticks > 0 && ticks <= this.#host.rules.limit && this.#isInNextSlot(unit, state)
    const next = follows(unit, before) && isNear ? unit : undefined
    const end90k = next?.pts90k ?? this.#within(state, unit.brokenAt90k ?? mod33(before.pts90k + FRAME))
    const shortest = this.#host.slots === undefined ? SHORTEST : 1
    if (difference33(end90k, state.start90k) < shortest) return this.#leaveOut(state, unit, nowMs)
    if (!this.#publish(state, { end90k, next, isForced: false, to: unit.at }, nowMs)) return false
    if (next !== undefined) return true
    if (unit.brokenAt90k === undefined && !follows(unit, before)) this.#isNew = true
    this.#enterHole(end90k)
    return true
  }

  /** A stream that breaks off again and again is not worth a list of scraps. */
  #leaveOut({ start90k }: OpenState, until: Unit, nowMs: number): boolean {
    this.#lead(nowMs).drop(until.at)
    this.#host.leftOut()
    this.#isNew = true
    this.#enterHole(start90k)
    return true
  }

  #isInNextSlot({ pts90k }: Unit, { slot }: OpenState): boolean {
    const { slots } = this.#host
    return slots === undefined || slot === undefined || slots.slotOf(pts90k) <= slot + 1
  }

  /** The last picture may end later than a segment may. */
  #within({ start90k }: OpenState, end90k: number): number {
    const limit = Math.floor(this.#host.rules.limit)
    return difference33(end90k, start90k) > limit ? mod33(start90k + limit) : end90k
  }

  /** Media has come back: the hole is closed with gaps, or if it is too long with a discontinuity. */
  #resume(state: HoleState, nowMs: number): boolean {
    const lead = this.#lead(nowMs)
    if (this.#host.slots !== undefined) return this.#resumeInSlot(state, lead, this.#host.slots, nowMs)
    const { start90k, end90k, holeTicks } = state
    const { longestHole, target } = this.#host.rules
    for (const point of lead.units) {
      if (!point.isPoint) continue
      const hole = difference33(point.pts90k, start90k)
      const isLate = hole < -BACKWARDS && difference33(point.pts90k, end90k) > 0 && !point.isNew && !this.#isNew
      // Its time has been given away.
      if (isLate) continue
      const isBridged = hole >= -BACKWARDS && hole <= longestHole - holeTicks && !point.isNew && !this.#isNew
      const isClosed = isBridged && this.#bridge(hole, target)
      if (!isClosed) this.#isNew = true
      this.#openedMs = nowMs
      this.#open(point)
      return true
    }
    return false
  }

  /** Numbers follow the time: what is missing is gaps, or if that is too much, numbers that no playlist has. */
  #resumeInSlot(state: HoleState, lead: Collector, slots: AlignedSlots, nowMs: number): boolean {
    const { longestHole, limit } = this.#host.rules
    for (const point of lead.units) {
      if (!point.isPoint) continue
      if (slots.place(point.pts90k, this.#host.wallMs(point.receivedAtMs))) this.#isNew = true
      const slot = slots.startAt(point.pts90k, limit)
      // Its time has been given away.
      if (slot === undefined || slots.dateOf(point.pts90k) < state.date90k - ROUNDING) continue
      const missing = (slot - slots.next) * slots.length
      if (missing <= longestHole - state.holeTicks) this.#fillSlots(slot, state.date90k, slots)
      this.#openedMs = nowMs
      this.#open(point)
      return true
    }
    return false
  }

  #fillSlots(until: number, from90k: number, slots: AlignedSlots): void {
    const { limit } = this.#host.rules
    let date90k = from90k
    while (slots.next < until) {
      const ticks = slots.gapAt(date90k, limit)
      if (!this.#host.gap(ticks, slots.next)) return
      date90k += ticks
    }
  }

  #bridge(hole: number, target: number): boolean {
    const { slots } = this.#host
    if (slots !== undefined) return this.#host.gap(hole, slots.next)
    for (let left = hole; left > 0; left -= target) if (!this.#host.gap(Math.min(left, target))) return false
    return true
  }

  /** All other renditions that flow have a point there; false also while that is not known. */
  #isCommon({ pts90k }: Unit, lead: Collector, nowMs: number): boolean {
    return this.#collectors.every(
      (each) => each === lead || isSilent(each, nowMs) || findPoint(each.units, pts90k) !== undefined,
    )
  }

  /** False: a rendition that flows has not come that far. */
  #publish(state: OpenState, cut: Cut, nowMs: number): boolean {
    const { end90k, next, isForced } = cut
    const lead = this.#lead(nowMs)
    const isBehind = (each: Collector): boolean =>
      each !== lead && !isSilent(each, nowMs) && each.isOpen && difference33(each.latest90k, end90k) < 0
    if (cut.to !== undefined && this.#collectors.some(isBehind)) return false
    const ends = this.#collectors.map((each) => (each === lead ? next : findUnit(each.units, end90k)))
    const slices = this.#collectors.map((each, index) => {
      const first = state.from[index] ?? findPoint(each.units, state.start90k)
      const to = (each === lead ? cut.to : ends[index]?.at) ?? each.end
      const isWhole = each === lead || isWholeUntil(each, first, ends[index], cut)
      const isBroken = ends[index] === undefined || ends[index].brokenAt90k !== undefined
      return first === undefined || !isWhole || to <= first.at ? undefined : { from: first.at, to, first, isBroken }
    })
    const { start90k, isNew, slot } = state
    const first = slices.find((slice) => slice !== undefined)?.first
    const ticks = difference33(end90k, start90k)
    if (first !== undefined) {
      this.#host.segment({ ticks, start90k, isNew, receivedAtMs: first.receivedAtMs, slices, isForced, slot })
    } else this.#isNew ||= isNew || !this.#bridge(ticks, this.#host.rules.target)
    for (const [index, each] of this.#collectors.entries()) {
      each.drop(slices[index]?.to ?? ends[index]?.at ?? each.end)
    }
    // A rendition that has nothing to continue begins again at a key frame.
    const from = ends.map((unit, index) => (slices[index] !== undefined || unit?.isPoint ? unit : undefined))
    if (next === undefined) return true
    const { slots } = this.#host
    const isNext = slots === undefined || slots.startAt(next.pts90k, this.#host.rules.limit) === slots.next
    if (isNext) this.#open(next, from)
    else this.#enterHole(next.pts90k)
    return true
  }
}
