// When missing packets are reported to the sender (draft-sharabayko-srt-01, section 4.8.2): at once when a gap is seen, and
// again for as long as it stays open.
import { renderNak } from '../packet/control.js'
import { sequenceOf } from '../packet/sequence.js'
import type { RoundTrip } from '../rtt.js'
import { tickAfter } from '../tick.js'
import type { HoleList } from './hole-list.js'

/** A range is reported again after half a round trip, and not sooner: the sender knows what is on its way. */
const LEAST_INTERVAL_US = 20_000
/** How often the open ranges are looked at. */
const CHECK_US = 10_000
/** Ranges in one packet; and packets at a time: the rest is reported at the next check. */
const PACKET_RANGES = 180
const MAX_PACKETS = 4

export class LossReports {
  readonly #holes: HoleList
  readonly #roundTrip: RoundTrip
  readonly #send: (packet: Uint8Array) => void
  readonly #ranges: number[] = []
  #checkedUs = -Infinity
  #newUs: number

  /** @param send takes a loss report with an empty header */
  constructor(holes: HoleList, roundTrip: RoundTrip, nowUs: number, send: (packet: Uint8Array) => void) {
    this.#holes = holes
    this.#roundTrip = roundTrip
    this.#newUs = nowUs
    this.#send = send
  }

  get dueUs(): number {
    return this.#holes.isAwaiting ? tickAfter(this.#checkedUs, CHECK_US) : Infinity
  }

  /** The packet `newest` has come: reports the gaps that it shows, or that its coming ends the tolerance for. */
  reportNew(newest: number, nowUs: number): void {
    this.#newUs = nowUs
    if (this.#holes.hasUnreported) this.#report(newest, -Infinity, nowUs)
  }

  /** Reports ranges again that have stayed open, and those that no packet makes due as none comes. */
  reportOpen(newest: number, nowUs: number): void {
    this.#checkedUs = nowUs
    const intervalUs = Math.max(LEAST_INTERVAL_US, this.#roundTrip.us / 2)
    const isSilent = nowUs - this.#newUs >= LEAST_INTERVAL_US
    this.#report(isSilent ? Infinity : newest, nowUs - intervalUs, nowUs)
  }

  #report(newest: number, beforeUs: number, nowUs: number): void {
    const ranges = this.#ranges
    ranges.length = 0
    this.#holes.collect(ranges, { newest, beforeUs, nowUs, maxRanges: PACKET_RANGES * MAX_PACKETS })
    for (const [at, index] of ranges.entries()) ranges[at] = sequenceOf(index)
    for (let from = 0; from * 2 < ranges.length; from += PACKET_RANGES) {
      this.#send(renderNak(ranges, from, Math.min(PACKET_RANGES, ranges.length / 2 - from)))
    }
  }
}
