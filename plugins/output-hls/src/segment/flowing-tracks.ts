// Which of the tracks that a PMT announces send: players wait for what is announced and does not come. A segment lists
// what flows in it; AAC that has stopped goes on as silence. Data may be silent for as long as it likes.
import type { ProgramHead } from './program-head.js'
import { SilentAudio, type SegmentSpan } from './silent-audio.js'
import type { TrackScan } from '@millrace/media/formats'

export interface Flow {
  /** What the segment lists. */
  readonly head: ProgramHead
  /** A track has fallen silent, or has come back, or sends for the first time. */
  readonly hasChanged: boolean
  /** All that is announced sends. */
  readonly isComplete: boolean
  /** By PID, packets for the end of the segment: silence where AAC has stopped. */
  readonly silence: ReadonlyMap<number, Uint8Array>
}

/** A track of which nothing began for this long, at the end of a segment in which nothing of it begins: 1 s. One that has
 * never sent is not listed until it does. */
const SILENT_TICKS = 90_000

export class FlowingTracks {
  /** By PID. */
  readonly #silentTicks = new Map<number, number>()
  readonly #silent = new Map<number, SilentAudio>()
  #before: readonly number[] | undefined

  /** Another stream follows: its times are others. */
  restart(): void {
    this.#silent.clear()
  }

  note(announced: ProgramHead, scans: ReadonlyMap<number, TrackScan>, span: SegmentSpan): Flow {
    const silence = new Map<number, Uint8Array>()
    const gone = new Set<number>()
    for (const pid of this.#silentTicks.keys()) if (!scans.has(pid)) this.#forget(pid)
    for (const [pid, scan] of scans) {
      const silentTicks = this.#noteUnits(pid, scan, span)
      if (silentTicks < SILENT_TICKS) continue
      const substitute = this.#silent.get(pid)
      if (substitute?.isReady === true) silence.set(pid, substitute.fill(span, scan.lastCounter))
      else gone.add(pid)
    }
    // Where nothing flows, nothing is left out: the segment has no use, but a table.
    const isComplete = gone.size === 0
    const keepsAll = isComplete || gone.size === scans.size
    const head = keepsAll ? announced : announced.only(({ pid }) => !gone.has(pid))
    const flowing = [...scans.keys()].filter((pid) => keepsAll || !gone.has(pid))
    const before = this.#before
    this.#before = flowing
    const hasChanged = before !== undefined && !isSame(before, flowing)
    return { head, hasChanged, isComplete, silence }
  }

  /** Returns for how long nothing of the track has begun. */
  #noteUnits(pid: number, scan: TrackScan, span: SegmentSpan): number {
    const before = this.#silentTicks.get(pid) ?? Infinity
    const silentTicks = scan.units > 0 ? 0 : before + span.ticks
    this.#silentTicks.set(pid, silentTicks)
    if (scan.units === 0 || scan.track.codec !== 'aac') return silentTicks
    const substitute = this.#silent.get(pid) ?? new SilentAudio(pid)
    substitute.note(scan, span)
    this.#silent.set(pid, substitute)
    return silentTicks
  }

  #forget(pid: number): void {
    this.#silentTicks.delete(pid)
    this.#silent.delete(pid)
  }
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((pid) => b.includes(pid))
}
