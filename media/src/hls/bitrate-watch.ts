// Peak and average bit rate of the segments of a playlist, as BANDWIDTH and AVERAGE-BANDWIDTH count them: the peak over
// runs of segments of 0.5 to 1.5 target durations (RFC 8216 4.1).
import type { Finding } from './finding.js'
import { numberOf } from './playlist.js'
import type { Variant } from './playlist.js'

interface Size {
  readonly bytes: number
  readonly seconds: number
}

/** More segments than any run of 1.5 target durations has. */
const MAX_RUN = 64
/** By how much a bit rate may exceed what is declared. */
const TOLERANCE = 1.1
const SHORTEST_RUN_TARGETS = 0.5
const LONGEST_RUN_TARGETS = 1.5
/** A shorter piece may well be above the average of the whole. */
const MIN_AVERAGE_SECONDS = 10

export class BitrateWatch {
  /** Bits per second. */
  peak = 0
  #bytes = 0
  #seconds = 0
  readonly #run: Size[] = []

  push(bytes: number, seconds: number, targetSeconds: number): void {
    this.#bytes += bytes
    this.#seconds += seconds
    this.#run.push({ bytes, seconds })
    if (this.#run.length > MAX_RUN) this.#run.shift()
    let [runBytes, runSeconds] = [0, 0]
    for (const size of [...this.#run].reverse()) {
      runBytes += size.bytes
      runSeconds += size.seconds
      if (runSeconds > LONGEST_RUN_TARGETS * targetSeconds) break
      if (runSeconds > 0 && runSeconds >= SHORTEST_RUN_TARGETS * targetSeconds) {
        this.peak = Math.max(this.peak, (runBytes * 8) / runSeconds)
      }
    }
  }

  /** Bits per second; 0 before there is enough to tell. */
  get average(): number {
    return this.#seconds < MIN_AVERAGE_SECONDS ? 0 : (this.#bytes * 8) / this.#seconds
  }
}

/**
 * `measured` are those of the variant and of the audio rendition that it is played with. `isWhole`: they are of all
 * segments of a presentation that has ended.
 */
export function checkBitrates(
  variant: Variant,
  measured: readonly BitrateWatch[],
  isWhole = false,
): readonly Finding[] {
  const findings: Finding[] = []
  const sum = (of: (watch: BitrateWatch) => number) =>
    Math.round(measured.reduce((total, watch) => total + of(watch), 0))
  const check = (rule: Finding['rule'], attribute: string, value: number) => {
    const declared = numberOf(variant, attribute)
    if (declared === undefined) return
    const isLow = isWhole && value > 0 && declared > value * TOLERANCE
    if (!isLow && value <= declared * TOLERANCE) return
    const seen = `measured ${value}, ${attribute}=${declared}`
    findings.push({ rule: isLow ? 'bandwidth-too-high' : rule, seen, line: variant.line })
  }
  check(
    'peak-above-bandwidth',
    'BANDWIDTH',
    sum(({ peak }) => peak),
  )
  check(
    'average-above-bandwidth',
    'AVERAGE-BANDWIDTH',
    sum(({ average }) => average),
  )
  return findings
}
