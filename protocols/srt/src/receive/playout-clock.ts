// Timestamp-based packet delivery (TSBPD; draft-sharabayko-srt-01, section 4.5): translates the sender's time to ours,
// and follows the drift between the two clocks.
import { timeOf } from '../packet/sequence.js'

/** The offset is averaged over this time, and over at least so many samples. */
const WINDOW_US = 10_000_000
const WINDOW_SAMPLES = 8
/** Largest correction of drift at the end of a window. */
const MAX_STEP_US = 5_000
/**
 * An offset that all samples of a window have is no drift, and is corrected as a whole: a clock stood still with its machine,
 * or the handshake, with which the offset begins, took much longer than what followed.
 */
const JUMP_US = 500_000

export class PlayoutClock {
  /** Our time at the sender's time zero. */
  #baseUs: number
  #windowStartUs: number
  #sumUs = 0
  #samples = 0
  /** Of them, answers to our acknowledgements. */
  #answers = 0
  #leastUs = Infinity
  #mostUs = -Infinity
  #baseRttUs: number | undefined
  /** Sum of all corrections. */
  driftUs = 0

  constructor(timestamp: number, nowUs: number) {
    this.#baseUs = nowUs - timestamp
    this.#windowStartUs = nowUs
  }

  /** Returns the time of the sender, unwrapped: the one nearest to the time that it should have now. */
  unwrap(timestamp: number, nowUs: number): number {
    return timeOf(timestamp, Math.floor(nowUs - this.#baseUs))
  }

  /** Returns our time at this time of the sender; the transit time of the first handshake is part of it. */
  toLocal(sentUs: number): number {
    return this.#baseUs + sentUs
  }

  /**
   * Takes a sample from a packet that is never queued: ACKACK (`isAnswer`) or keepalive, not data. There are programs whose
   * keepalives have no sensible time.
   */
  addSample(sentUs: number, nowUs: number, rttUs: number | undefined, isAnswer: boolean): void {
    if (rttUs !== undefined) this.#baseRttUs ??= rttUs
    const rttChangeUs = rttUs === undefined || this.#baseRttUs === undefined ? 0 : rttUs - this.#baseRttUs
    const offsetUs = nowUs - this.toLocal(sentUs) - rttChangeUs / 2
    this.#sumUs += offsetUs
    this.#samples++
    if (isAnswer) this.#answers++
    this.#leastUs = Math.min(this.#leastUs, offsetUs)
    this.#mostUs = Math.max(this.#mostUs, offsetUs)
    if (nowUs - this.#windowStartUs < WINDOW_US || this.#samples < WINDOW_SAMPLES) return
    const stepUs = this.#stepUs()
    this.#baseUs += stepUs
    this.driftUs += stepUs
    this.#beginWindow(nowUs)
  }

  #stepUs(): number {
    if (this.#answers >= WINDOW_SAMPLES && this.#leastUs > JUMP_US) return this.#leastUs
    if (this.#answers >= WINDOW_SAMPLES && this.#mostUs < -JUMP_US) return this.#mostUs
    return Math.max(-MAX_STEP_US, Math.min(MAX_STEP_US, this.#sumUs / this.#samples))
  }

  #beginWindow(nowUs: number): void {
    this.#windowStartUs = nowUs
    this.#sumUs = 0
    this.#samples = 0
    this.#answers = 0
    this.#leastUs = Infinity
    this.#mostUs = -Infinity
  }
}
