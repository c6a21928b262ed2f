// Follows the PCRs of each PID: ISO/IEC 13818-1 clause 2.4.3.5, TR 101 290 2.3.b (0 to 100 ms between PCRs without a
// discontinuity_indicator).
import type { TsPacket } from './ts-packet.js'

const PCR_SPAN = 2 ** 33 * 300
const MAX_STEP_MS = 100

export interface ClockReport {
  count: number
  /** In 27 MHz ticks, as on the wire. */
  first27m: number
  last27m: number
  /** Steps across a discontinuity_indicator are not counted here. */
  maxStepMs: number
  minStepMs: number
  /** Unannounced steps that go back, are zero, or exceed 100 ms. */
  jumps: number
  /** How often discontinuity_indicator announced a new time base. */
  announced: number
}

export class Clocks {
  readonly byPid: Record<number, ClockReport> = {}
  readonly #announced = new Set<number>()

  take(packet: TsPacket): void {
    const { pid, pcr27m } = packet
    if (packet.discontinuity) this.#announced.add(pid)
    if (pcr27m === undefined) return
    const clock = this.byPid[pid]
    const announced = this.#announced.delete(pid)
    if (clock === undefined) {
      const first = { first27m: pcr27m, last27m: pcr27m, maxStepMs: 0, minStepMs: Infinity }
      this.byPid[pid] = { count: 1, ...first, jumps: 0, announced: 0 }
      return
    }
    const stepMs = signedDifference(pcr27m, clock.last27m, PCR_SPAN) / 27_000
    clock.count++
    clock.last27m = pcr27m
    if (announced) {
      clock.announced++
      return
    }
    clock.maxStepMs = Math.max(clock.maxStepMs, stepMs)
    clock.minStepMs = Math.min(clock.minStepMs, stepMs)
    if (stepMs <= 0 || stepMs > MAX_STEP_MS) clock.jumps++
  }
}

/**
 * By how much `later` is after `earlier` on a clock that restarts at `span`; negative if the shorter way is backwards.
 */
export function signedDifference(later: number, earlier: number, span: number): number {
  const forward = (((later - earlier) % span) + span) % span
  return forward < span / 2 ? forward : forward - span
}
