// Which frames follow the clock of the stream. It has jumped when a track that followed it steps away from it: a track that
// was silent for a while, or that runs on a clock of its own, is no jump of the others.

/** Further away than this, a frame does not follow the clock. */
const FAR_90K = 10 * 90_000
/** A step back by more than this is another clock: nothing can be decoded meanwhile. */
const STEP_BACK_90K = 90_000

/** What is known of the times of one track. */
export class TrackStamps {
  /** -Infinity until a frame has come since the clock began. */
  last90k = -Infinity
  isFar = false
  /** Where it began to be far without a frame that follows the clock, and how many had followed it by then. */
  farFrom90k = 0
  followed = 0

  reset(): void {
    this.last90k = -Infinity
    this.isFar = false
  }
}

/** `steps`: the times of the track go on elsewhere, and those of the stream do not. */
export type Verdict = 'follows' | 'steps' | 'far' | 'jump'

export class ClockWatch {
  /** Frames that followed the clock. */
  #followed = 0

  /** @param isAlone no other track has had a frame since the clock began */
  judge(stamps: TrackStamps, dts90k: number, position90k: number, isAlone: boolean): Verdict {
    const { last90k, isFar: wasFar } = stamps
    const step90k = last90k === -Infinity ? 0 : dts90k - last90k
    const ahead90k = dts90k - position90k
    stamps.last90k = dts90k
    stamps.isFar = Math.abs(ahead90k) > FAR_90K
    if (!stamps.isFar) this.#followed++
    const isStep = step90k > FAR_90K || step90k < -STEP_BACK_90K
    if (isStep && !wasFar && (step90k < 0 || ahead90k > FAR_90K)) return 'jump'
    if (stamps.isFar && (isAlone || this.#leads(stamps, dts90k, wasFar))) return 'jump'
    if (isStep) return 'steps'
    return stamps.isFar ? 'far' : 'follows'
  }

  /** It has gone on for long while no frame followed the clock: the stream goes by it from here on. */
  #leads(stamps: TrackStamps, dts90k: number, wasFar: boolean): boolean {
    if (wasFar && stamps.followed === this.#followed) return Math.abs(dts90k - stamps.farFrom90k) > FAR_90K
    stamps.farFrom90k = dts90k
    stamps.followed = this.#followed
    return false
  }
}
