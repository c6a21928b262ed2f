// One media playlist over time: what a new version may change, and when it is due. Draft-pantos-hls-rfc8216bis 6.2.1 and
// 6.2.2. The memory is bounded by two versions of the playlist.
import { compareVersions } from './compare-versions.js'
import type { Finding } from './finding.js'
import { lengthSeconds } from './playlist.js'
import type { MediaPlaylist, Segment } from './playlist.js'

/** When a version was asked for and when it had arrived, by one monotonic clock. */
export interface LoadTimes {
  readonly askedMs: number
  readonly answeredMs: number
}

/** A segment that has left the playlist. */
export interface RemovedSegment {
  readonly segment: Segment
  /** Until then clients may load it. */
  readonly untilMs: number
}

export interface WatchResult {
  readonly findings: readonly Finding[]
  readonly removed: readonly RemovedSegment[]
  /** Segments that the version before did not have. */
  readonly added: readonly Segment[]
}

interface Listed {
  readonly segment: Segment
  readonly firstMs: number
  longestSeconds: number
}

/** 6.2.1: within that many target durations there is a new segment. */
const UPDATE_TARGETS = 1.5

export class PlaylistWatch {
  #before: MediaPlaylist | undefined
  readonly #listed = new Map<number, Listed>()
  #newSegmentMs = 0
  #newPartMs = 0
  #isLate = false
  #isPartLate = false

  /** Call it with each version in order. */
  push(playlist: MediaPlaylist, times: LoadTimes): WatchResult {
    const before = this.#before
    this.#before = playlist
    const added = this.#note(playlist, before, times.answeredMs)
    if (before === undefined) {
      this.#newSegmentMs = times.answeredMs
      this.#newPartMs = times.answeredMs
      return { findings: [], removed: [], added }
    }
    const findings = [...compareVersions(before, playlist), ...this.#checkTime(before, playlist, times)]
    return { findings, removed: this.#takeRemoved(playlist), added }
  }

  #note(playlist: MediaPlaylist, before: MediaPlaylist | undefined, nowMs: number): readonly Segment[] {
    const length = lengthSeconds(playlist.segments)
    const last = before?.segments.at(-1)?.sequence
    const added: Segment[] = []
    let behind = length
    for (const segment of playlist.segments) {
      behind -= segment.seconds ?? 0
      const known = this.#listed.get(segment.sequence)
      if (known !== undefined) known.longestSeconds = Math.max(known.longestSeconds, length)
      // Those of the first version were listed one after the other before it was loaded.
      const firstMs = before === undefined ? nowMs - behind * 1000 : nowMs
      if (known === undefined) this.#listed.set(segment.sequence, { segment, firstMs, longestSeconds: length })
      if (last === undefined || segment.sequence > last) added.push(segment)
    }
    return added
  }

  #takeRemoved(playlist: MediaPlaylist): readonly RemovedSegment[] {
    const removed: RemovedSegment[] = []
    const last = playlist.segments.at(-1)?.sequence ?? playlist.mediaSequence
    for (const [sequence, { segment, firstMs, longestSeconds }] of this.#listed) {
      if (sequence >= playlist.mediaSequence && sequence <= last) continue
      this.#listed.delete(sequence)
      if (sequence > last) continue
      removed.push({ segment, untilMs: firstMs + ((segment.seconds ?? 0) + longestSeconds) * 1000 })
    }
    return removed
  }

  /** The age of what is listed is at least the time from the answer that first had it to the request that got no more. */
  #checkTime(before: MediaPlaylist, after: MediaPlaylist, { askedMs, answeredMs }: LoadTimes): readonly Finding[] {
    if (after.hasEnded) return []
    const findings: Finding[] = []
    const hasNewSegment = lastSequence(after) !== lastSequence(before)
    const hasNewPart = hasNewSegment || after.openParts.length !== before.openParts.length
    const targetMs = (after.targetSeconds ?? Infinity) * 1000
    const partTargetMs = (after.partTargetSeconds ?? Infinity) * 1000
    if (hasNewSegment) {
      this.#newSegmentMs = answeredMs
      this.#isLate = false
    } else if (!this.#isLate && askedMs - this.#newSegmentMs > UPDATE_TARGETS * targetMs) {
      this.#isLate = true
      const seen = `no new segment for ${secondsOf(askedMs - this.#newSegmentMs)} s at a target of ${after.targetSeconds} s`
      findings.push({ rule: 'update-late', seen })
    }
    if (hasNewPart) {
      this.#newPartMs = answeredMs
      this.#isPartLate = false
    } else if (!this.#isPartLate && askedMs - this.#newPartMs > partTargetMs) {
      this.#isPartLate = true
      findings.push({ rule: 'part-late', seen: `no new part for ${secondsOf(askedMs - this.#newPartMs)} s` })
    }
    return findings
  }
}

function lastSequence({ segments, mediaSequence }: MediaPlaylist): number {
  return segments.at(-1)?.sequence ?? mediaSequence - 1
}

function secondsOf(ms: number): string {
  return (ms / 1000).toFixed(1)
}
