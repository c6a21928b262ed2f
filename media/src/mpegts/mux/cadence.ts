// When the muxer owes a PCR and the tables, in stream time: the position is the newest decoding time that was written.
// Analysers want a PCR every 40 ms and the tables every 100 ms, see ETSI TR 101 290 5.2 and ISO/IEC 13818-1 2.7.2.
import { WRAP_90K } from '../timestamps.js'

/**
 * Clock references that fill holes are paid for by media: tiny frames with long holes between them would otherwise become
 * a hundred thousand times as much. Media that is rare and small is far from the limit.
 */
const BYTES_A_FILLER = 8
const MOST_CREDIT = 5000
const PCR_INTERVAL_90K = 40 * 90
/** A video frame this long after a PCR brings the next in its own first packet. */
const PCR_EARLY_90K = 20 * 90
/** The next occasion comes one PCR interval later at the latest. */
const TABLES_DUE_90K = 100 * 90 - PCR_INTERVAL_90K
/** A picture carries the PCRs of its own time, up to so much: how long it lasts is a guess. */
const MOST_INSIDE_90K = 200 * 90
const WRAP_27M = WRAP_90K * 300
/** How fast the lead of audio is forgotten, per video frame. */
const LEAD_DECAY_90K = 9

export class Cadence {
  readonly #delay90k: number
  #position90k = 0
  #pcr90k = 0
  #tables90k = 0
  #audio90k = -Infinity
  #video90k = Infinity
  /** From the latest video frame to the one before it. */
  #frame90k = 0
  /** How far audio runs ahead of video in the order of arrival: its times say too much about the position. */
  #audioLead90k = 0
  #credit = MOST_CREDIT
  hasStarted = false
  /** The next PCR is the first of another clock. */
  isDiscontinuity = false

  /** PCRs are `delay90k` before the decoding times next to them. */
  constructor(delay90k: number) {
    this.#delay90k = delay90k
  }

  get position90k(): number {
    return this.#position90k
  }

  start(position90k: number): void {
    this.hasStarted = true
    this.#position90k = position90k
    this.#pcr90k = -Infinity
    this.#tables90k = position90k
    this.#audio90k = -Infinity
    this.#frame90k = 0
    this.#audioLead90k = 0
  }

  /** The position of a video frame. */
  seeVideo(dts90k: number): number {
    this.#audioLead90k = Math.max(0, this.#audio90k - dts90k, this.#audioLead90k - LEAD_DECAY_90K)
    this.#frame90k = dts90k - this.#video90k
    this.#video90k = dts90k
    return dts90k
  }

  /** The position of an audio frame. */
  seeAudio(pts90k: number): number {
    this.#audio90k = pts90k
    return pts90k - this.#audioLead90k
  }

  /** So many bytes of media were written. */
  earn(bytes: number): void {
    this.#credit = Math.min(MOST_CREDIT, this.#credit + bytes / BYTES_A_FILLER)
  }

  /** Moves to the next position at which a PCR is owed before `position90k`; false, and moves there, if there is none. */
  step(position90k: number): boolean {
    if (position90k - this.#pcr90k > PCR_INTERVAL_90K && this.#pcr90k > -Infinity && this.#credit >= 1) {
      this.#credit--
      this.#position90k = Math.max(this.#position90k, this.#pcr90k + PCR_INTERVAL_90K)
      return true
    }
    this.#position90k = Math.max(this.#position90k, position90k)
    return false
  }

  /** The PCRs that are owed before the next video frame, if it follows as this one has followed the one before. */
  get pcrsUntilNext(): number {
    const next90k = this.#position90k + Math.min(this.#frame90k, MOST_INSIDE_90K)
    return Math.max(0, Math.ceil((next90k - this.#pcr90k) / PCR_INTERVAL_90K) - 1)
  }

  /** Moves to the position of the next PCR, within a picture; false if it is not paid for. */
  stepInside(): boolean {
    if (this.#credit < 1) return false
    this.#credit--
    this.#position90k = Math.max(this.#position90k, this.#pcr90k + PCR_INTERVAL_90K)
    return true
  }

  get areTablesDue(): boolean {
    return this.#position90k - this.#tables90k > TABLES_DUE_90K
  }

  get isPcrDue(): boolean {
    return this.#position90k - this.#pcr90k >= PCR_EARLY_90K
  }

  get hasPcr(): boolean {
    return this.#pcr90k > -Infinity
  }

  noteTables(): void {
    this.#tables90k = this.#position90k
  }

  /** The PCR at the position, later than the one before it, modulo its wrap; the caller writes it. */
  takePcr27M(): number {
    this.#pcr90k = Math.max(this.#position90k, this.#pcr90k + 1)
    const ticks = (this.#pcr90k - this.#delay90k) * 300
    return ticks - Math.floor(ticks / WRAP_27M) * WRAP_27M
  }

  /** A decoder receives what has this time too late. */
  isLate(dts90k: number): boolean {
    return dts90k < this.#pcr90k - this.#delay90k
  }
}
