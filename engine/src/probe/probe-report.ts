// What a probe answers.
import type { FindingList, ReportedFinding } from '@millrace/media/hls'
import type { Turns } from './turns.js'

export interface ProbeReport {
  readonly kind: 'multivariant' | 'media'
  /** Media playlists; how often each was loaded, and how many of its segments were read. */
  readonly playlists: readonly ProbedPlaylist[]
  readonly findings: readonly ReportedFinding[]
}

export interface ProbedPlaylist {
  readonly name: string
  readonly role: 'video' | 'audio' | 'subtitles' | 'i-frames'
  loads: number
  segments: number
  /** Bits per second, of the segments that were read; 0 if none was. */
  peakBitrate: number
  averageBitrate: number
}

/** There is nothing to check. */
export interface ProbeFailure {
  readonly why: string
  /** It is there, but no playlist. */
  readonly isOther: boolean
}

export interface ProbeOptions {
  /** How long live playlists are watched. */
  readonly watchMs: number
  /** At most that many segments of each playlist are read. */
  readonly segments: number
}

/** Time, so that tests need none. */
export interface ProbeClock {
  nowMs(): number
  sleep(ms: number): Promise<void>
}

/** What the parts of one probe share. */
export interface ProbeState {
  readonly findings: FindingList
  readonly clock: ProbeClock
  readonly options: ProbeOptions
  /** Of downloads of segments. */
  readonly turns: Turns
}
