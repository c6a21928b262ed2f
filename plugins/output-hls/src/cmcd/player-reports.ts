// What the players of an output report, by session: for lists of viewers, and for the metrics of the output.
import type { PlayerReport, Session } from '@millrace/engine/plugin'
import type { CmcdReport } from './parse-cmcd.js'

/** One viewer counts at most once in this time, however often it asks. */
const COUNT_EVERY_MS = 1000
const BITS = 1000

export interface ReportHistograms {
  observeBuffer(seconds: number): void
  observeThroughput(bitsPerSecond: number): void
}

interface Reported {
  bufferMs?: number
  bitsPerSecond?: number
  throughputBitsPerSecond?: number
  stalls: number
  observedMs: number
  stalledMs: number
}

export class PlayerReports {
  /** Of all viewers. */
  stalls = 0
  /** One for each session that reports. */
  readonly #bySession = new Map<Session, Reported>()

  /** Viewers that report. */
  get players(): number {
    this.sweep()
    return this.#bySession.size
  }

  /** What they play, on average; 0 if none of them says. */
  get averageBitsPerSecond(): number {
    this.sweep()
    const rates = [...this.#bySession.values()].flatMap(({ bitsPerSecond }) => bitsPerSecond ?? [])
    return rates.length === 0 ? 0 : rates.reduce((sum, rate) => sum + rate, 0) / rates.length
  }

  of(session: Session): PlayerReport | undefined {
    const reported = this.#bySession.get(session)
    if (reported === undefined) return undefined
    const { observedMs: _observed, stalledMs: _stalled, ...report } = reported
    return report
  }

  note(
    session: Session,
    report: CmcdReport,
    { nowMs, histograms }: { nowMs: number; histograms: ReportHistograms },
  ): void {
    const { bufferMs, bitrateKbps, throughputKbps, isStarved } = report
    const reported = this.#bySession.get(session) ?? { stalls: 0, observedMs: -Infinity, stalledMs: -Infinity }
    this.#bySession.set(session, reported)
    if (bufferMs !== undefined) reported.bufferMs = bufferMs
    if (bitrateKbps !== undefined) reported.bitsPerSecond = bitrateKbps * BITS
    if (throughputKbps !== undefined) reported.throughputBitsPerSecond = throughputKbps * BITS
    if (isStarved && nowMs - reported.stalledMs >= COUNT_EVERY_MS) {
      reported.stalledMs = nowMs
      reported.stalls++
      this.stalls++
    }
    if (nowMs - reported.observedMs < COUNT_EVERY_MS) return
    reported.observedMs = nowMs
    if (bufferMs !== undefined) histograms.observeBuffer(bufferMs / 1000)
    if (throughputKbps !== undefined) histograms.observeThroughput(throughputKbps * BITS)
  }

  /** Call it now and then. */
  sweep(): void {
    for (const session of this.#bySession.keys()) if (session.isOver) this.#bySession.delete(session)
  }
}
