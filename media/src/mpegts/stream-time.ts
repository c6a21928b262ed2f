// How much of a stream has passed: by its PCR, so that a file read at full speed and a live stream give the same
// answer; by time of arrival where no PCR comes. Time stands still while no packets come.
import { difference33 } from './timestamps.js'

/** After this long without a PCR that advances, arrival counts. */
const PCR_MISSING_MS = 1000
/** The most that a single step counts: what lies between two packets may be an outage, or a jump of the clock. */
const MAX_STEP_MS = 500
const TICKS_PER_MS = 90
const MAX_STEP_TICKS = MAX_STEP_MS * TICKS_PER_MS
/** Another PID is the reference when it has shown this many PCRs since the last one of the reference. */
const RIVAL_PCRS = 16
const NONE = -1

export class StreamTime {
  /** Milliseconds of stream so far. Never decreases. */
  nowMs = 0
  #pcrPid = NONE
  #pcr = 0
  #rivalPid = NONE
  #rivalPcrs = 0
  #arrivedMs = NONE
  #advancedAtMs = -Infinity

  /** A PCR has come: its base, 33 bits at 90 kHz. */
  notePcr(pid: number, base: number, arrivalMs: number): void {
    const ticks = base - this.#pcr
    if (pid === this.#pcrPid && ticks > 0 && ticks <= MAX_STEP_TICKS) {
      this.nowMs += ticks / TICKS_PER_MS
      this.#advancedAtMs = arrivalMs
    } else if (pid !== this.#pcrPid) {
      if (this.#pcrPid !== NONE && !this.#hasRivalWon(pid)) return
      this.#pcrPid = pid
    } else {
      const stepMs = difference33(base, this.#pcr) / TICKS_PER_MS
      if (stepMs > 0) {
        this.nowMs += Math.min(stepMs, MAX_STEP_MS)
        this.#advancedAtMs = arrivalMs
      }
    }
    this.#pcr = base
    this.#rivalPid = NONE
  }

  /** Packets have come. */
  noteArrival(arrivalMs: number): void {
    const stepMs = this.#arrivedMs === NONE ? 0 : arrivalMs - this.#arrivedMs
    this.#arrivedMs = arrivalMs
    if (stepMs > 0 && arrivalMs - this.#advancedAtMs >= PCR_MISSING_MS) this.nowMs += Math.min(stepMs, MAX_STEP_MS)
  }

  #hasRivalWon(pid: number): boolean {
    if (this.#rivalPid === NONE) {
      this.#rivalPid = pid
      this.#rivalPcrs = 0
    }
    return pid === this.#rivalPid && ++this.#rivalPcrs >= RIVAL_PCRS
  }
}
