// Splices as EXT-X-DATERANGE, draft-pantos-hls-rfc8216bis 4.4.5.1.1: the out and the in of a break are one range; other
// signals are ranges of their own. Repeated messages are one.
import { difference33, mod33 } from '@millrace/media/mpegts'
import type { Segmentation } from '@millrace/media/scte35'
import type { HeardSplice } from '../segment/splice-listener.js'

/** Of the segment that has been published last. */
export interface DatedTime {
  readonly start90k: number
  readonly dateMs: number
}

interface Signal {
  readonly kind: 'out' | 'in' | 'cmd'
  /** Tells it from others at the same time. */
  readonly event: string
  readonly at90k: number
  readonly duration90k: number | undefined
  readonly section: Uint8Array
}

interface SpliceRange {
  readonly event: string
  readonly at90k: number
  readonly startMs: number
  readonly id: string
  readonly plannedMs: number | undefined
  durationMs: number | undefined
  /** By attribute. */
  readonly sections: Map<string, Uint8Array>
}

const TICKS_PER_MS = 90
const MAX_RANGES = 32
const MAX_TIMES = 16
/** Two messages of one event. */
const SAME = 90
/** Key frames and splices that differ by no more than 20 ms are at the same time. */
const TOLERANCE = 1800
/** A splice is announced at most so long before it, and heard at most so long after it: one hour, one minute. */
const MOST_AHEAD = 324_000_000
const MOST_BEHIND = 5_400_000
/** segmentation_type_id of placement opportunities, ANSI/SCTE 35 table 23: each is followed by that of its end. */
const OUT_TYPES = [0x34, 0x36, 0x38, 0x3a]

export class SpliceRanges {
  readonly #waiting: Signal[] = []
  readonly #times: number[] = []
  #ranges: SpliceRange[] = []

  /** `latest90k`: the newest time of the stream. False: a message whose time is not on its clock. */
  hear(heard: HeardSplice, latest90k: number): boolean {
    let isPlaced = true
    for (const signal of signalsOf(heard, latest90k)) {
      const ahead = difference33(signal.at90k, latest90k)
      if (ahead > MOST_AHEAD || ahead < -MOST_BEHIND) isPlaced = false
      else this.#add(signal)
    }
    const { insert } = heard.info
    if (insert?.isCancelled === true) this.#cancel(hex32(insert.eventId), latest90k)
    return isPlaced
  }

  /** Ticks from there to the next splice; undefined if none is known. */
  ticksAfter(start90k: number): number | undefined {
    let next: number | undefined
    for (const time of this.#times) {
      const ticks = difference33(time, start90k) - TOLERANCE
      if (ticks > TOLERANCE && (next === undefined || ticks < next)) next = ticks
    }
    return next
  }

  /** A segment has been published: what has been heard since gets its date. `fromMs`: date of the first listed one. */
  settle(newest: DatedTime, fromMs: number): void {
    for (const signal of this.#waiting.splice(0)) this.#place(signal, newest)
    this.#ranges = this.#ranges.filter((range) => lasts(range, fromMs)).slice(-MAX_RANGES)
    // A day later, the 33-bit clock comes by again.
    const isOver = (time: number): boolean => difference33(time, newest.start90k) < -MOST_BEHIND
    this.#times.splice(0, Infinity, ...this.#times.filter((time) => !isOver(time)))
  }

  /** For a playlist that begins with this date. */
  tags(fromMs: number): readonly string[] {
    return this.#ranges.filter((range) => lasts(range, fromMs)).map((range) => render(range))
  }

  #add(signal: Signal): void {
    if (this.#waiting.some((each) => isSame(each, signal))) return
    this.#waiting.push(signal)
    if (this.#waiting.length > MAX_RANGES) this.#waiting.shift()
    if (this.#times.some((time) => Math.abs(difference33(time, signal.at90k)) <= SAME)) return
    this.#times.push(signal.at90k)
    if (this.#times.length > MAX_TIMES) this.#times.shift()
  }

  #cancel(event: string, latest90k: number): void {
    const isComing = (each: Pick<Signal, 'event' | 'at90k'>): boolean =>
      each.event === event && difference33(each.at90k, latest90k) > 0
    this.#ranges = this.#ranges.filter((range) => !isComing(range))
    const left = this.#waiting.filter((signal) => !isComing(signal))
    this.#waiting.splice(0, Infinity, ...left)
  }

  #place({ kind, event, at90k, duration90k, section }: Signal, { start90k, dateMs }: DatedTime): void {
    const attribute = kind === 'cmd' ? 'SCTE35-CMD' : kind === 'out' ? 'SCTE35-OUT' : 'SCTE35-IN'
    const startMs = dateMs + difference33(at90k, start90k) / TICKS_PER_MS
    const known = this.#ranges.find((range) => isSame(range, { event, at90k }))
    if (known?.sections.has(attribute) === true) return
    const out = kind === 'in' ? this.#ranges.findLast((range) => isOpen(range, event, startMs)) : undefined
    if (out !== undefined) {
      out.durationMs = startMs - out.startMs
      out.sections.set(attribute, section)
      return
    }
    // The end of a break that is known already.
    if (kind === 'in' && this.#ranges.some((range) => endsAt(range, event, startMs))) return
    const plannedMs = duration90k === undefined ? undefined : duration90k / TICKS_PER_MS
    const id = `splice-${event}-${Math.floor(startMs / 1000)}`
    const sections = new Map([[attribute, section]])
    this.#ranges.push({ event, at90k, startMs, id, plannedMs, durationMs: undefined, sections })
  }
}

function signalsOf({ info, section }: HeardSplice, latest90k: number): readonly Signal[] {
  const { command, insert, segmentations } = info
  const at90k = mod33(info.pts90k ?? latest90k)
  if (command === 'insert' && insert !== undefined) {
    if (insert.isCancelled) return []
    const event = hex32(insert.eventId)
    return [{ kind: insert.isOut ? 'out' : 'in', event, at90k, duration90k: insert.break90k, section }]
  }
  if (command !== 'time') return []
  const meant = segmentations.filter(({ isCancelled }) => !isCancelled)
  if (meant.length === 0) return [{ kind: 'cmd', event: 'time', at90k, duration90k: undefined, section }]
  return meant.map((each) => ({ ...kindOf(each), at90k, duration90k: each.duration90k, section }))
}

function kindOf({ eventId, type }: Segmentation): Pick<Signal, 'kind' | 'event'> {
  if (OUT_TYPES.includes(type)) return { kind: 'out', event: hex32(eventId) }
  if (OUT_TYPES.includes(type - 1)) return { kind: 'in', event: hex32(eventId) }
  return { kind: 'cmd', event: `${hex32(eventId)}-${type.toString(16)}` }
}

function isSame(a: Pick<Signal, 'event' | 'at90k'>, b: Pick<Signal, 'event' | 'at90k'>): boolean {
  return a.event === b.event && Math.abs(difference33(a.at90k, b.at90k)) <= SAME
}

function isOpen({ event, sections, durationMs, startMs }: SpliceRange, wanted: string, nowMs: number): boolean {
  return event === wanted && sections.has('SCTE35-OUT') && durationMs === undefined && startMs < nowMs
}

function endsAt({ event, startMs, durationMs }: SpliceRange, wanted: string, endMs: number): boolean {
  return event === wanted && durationMs !== undefined && Math.abs(startMs + durationMs - endMs) < 2
}

/** A break whose end is not known lasts. */
function lasts({ startMs, plannedMs, durationMs, sections }: SpliceRange, fromMs: number): boolean {
  const lengthMs = durationMs ?? plannedMs
  return lengthMs === undefined && sections.has('SCTE35-OUT') ? true : startMs + (lengthMs ?? 0) >= fromMs
}

function render({ id, startMs, plannedMs, durationMs, sections }: SpliceRange): string {
  const attributes = [
    `ID="${id}"`,
    `START-DATE="${new Date(startMs).toISOString()}"`,
    ...(durationMs === undefined ? [] : [`DURATION=${(durationMs / 1000).toFixed(3)}`]),
    ...(plannedMs === undefined ? [] : [`PLANNED-DURATION=${(plannedMs / 1000).toFixed(3)}`]),
    ...Array.from(sections, ([name, bytes]) => `${name}=0x${Buffer.from(bytes).toString('hex').toUpperCase()}`),
  ]
  return `#EXT-X-DATERANGE:${attributes.join(',')}`
}

function hex32(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0')
}
