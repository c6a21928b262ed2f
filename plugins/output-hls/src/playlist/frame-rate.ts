// The frame rate of a video, for FRAME-RATE: as its headers give it if they can be believed, else as measured, and steady.
import type { MediaFormat } from '@millrace/media/formats'

const TICKS_PER_SECOND = 90_000
/** What is measured within 1 % of one of these is that one. */
const USUAL = [24_000 / 1001, 24, 25, 30_000 / 1001, 30, 48, 50, 60_000 / 1001, 60, 100, 120_000 / 1001, 120]
const USUAL_TOLERANCE = 0.0005
const SNAP = 0.01
/** Headers that say that the rate may vary are believed if they are that close to what is measured. */
const BELIEVED = 0.1
/** Less is no change. */
const STEADY = 0.05
/** Headers with more give ticks, not pictures. */
const MOST = 300
/** Too few pictures to measure anything. */
const LEAST_UNITS = 8

export class FrameRate {
  #value: number | undefined

  /** Undefined until it is known. */
  get value(): number | undefined {
    return this.#value
  }

  clear(): void {
    this.#value = undefined
  }

  /** `units`: pictures of a segment, `ticks`: its length. */
  note(format: MediaFormat | undefined, units: number, ticks: number): void {
    const measured = ticks > 0 && units >= LEAST_UNITS ? (units * TICKS_PER_SECOND) / ticks : undefined
    const said = format?.frameRate
    if (format !== undefined && said !== undefined && said <= MOST && isBelieved(format, said, measured)) {
      this.#value = said
    } else if (measured !== undefined && !(this.#value !== undefined && isNear(measured, this.#value, STEADY))) {
      this.#value = usual(measured)
    }
  }
}

/** Fixed rates count frames, of which a PES packet may have several, or one field; others must be what comes. */
function isBelieved(format: MediaFormat, said: number, measured: number | undefined): boolean {
  if (format.isRateFixed === true || measured === undefined) return true
  return isNear(said, measured, BELIEVED) || (format.isInterlaced === true && isNear(said * 2, measured, BELIEVED))
}

/** 29.97 and 30 are closer to each other than what can be measured in a segment of odd length. */
function usual(measured: number): number {
  const exact = USUAL.find((rate) => isNear(measured, rate, USUAL_TOLERANCE))
  return exact ?? USUAL.find((rate) => isNear(measured, rate, SNAP)) ?? Math.round(measured * 1000) / 1000
}

function isNear(a: number, b: number, tolerance: number): boolean {
  return Math.abs(a - b) <= b * tolerance
}
