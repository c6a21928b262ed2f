// Which tracks of the source the encoder is fed with: those that flow, and that it can decode.
import type { Clock, NodeContext, Processes } from '@millrace/engine/plugin'
import type { EncoderRun } from './encoder-run.js'
import { isSamePids, withKept } from './feed-plan.js'
import type { FeedPlan, FeedTrack } from './feed-plan.js'
import type { InletStream } from './inlet-stream.js'
import { LeftOutTracks } from './left-out-tracks.js'
import type { RecentGop } from './recent-gop.js'
import { TrackTrial } from './track-trial.js'

/** At the start: tracks that are announced have this long to send something. */
const GATHER_MS = 1000
/** A track without units for this long has been lost. */
const LOST_MS = 5000
/** A run that ends by then may have had a track that it cannot decode. */
const FAILED_MS = 5000
/** A track that comes must have sent within this time. */
const FOUND_MS = 2000

export interface SourceTracksParts {
  readonly context: Pick<NodeContext, 'log' | 'ready' | 'degraded' | 'guard'>
  readonly clock: Pick<Clock, 'nowMs'>
  readonly processes: Pick<Processes, 'convert'>
  /** ffmpeg. */
  readonly program: readonly string[]
  readonly stream: InletStream
  readonly recent: RecentGop
}

export class SourceTracks implements AsyncDisposable {
  readonly leftOut: LeftOutTracks
  readonly trial: TrackTrial
  readonly #parts: SourceTracksParts
  /** When PIDs have changed. */
  #mappedMs = -Infinity

  constructor(parts: SourceTracksParts) {
    this.#parts = parts
    this.leftOut = new LeftOutTracks(parts.context)
    this.trial = new TrackTrial({
      ...parts,
      candidates: (nowMs) => this.leftOut.candidates((track) => parts.stream.isFlowing(track, nowMs, FOUND_MS), nowMs),
      onDecoded: (track) => this.leftOut.restore(track),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.trial[Symbol.asyncDispose]()
  }

  /** All that are announced flow, or have had their time since then. */
  areKnown(nowMs: number, sinceMs: number): boolean {
    const { stream } = this.#parts
    const media = stream.program?.tracks.filter((track) => track.media !== 'data')
    if (media === undefined) return false
    return nowMs - sinceMs >= GATHER_MS || media.every((track) => stream.isFlowing(track, nowMs, FOUND_MS))
  }

  /** Those for a start, in the places of `before`; undefined if there are none. */
  find(nowMs: number, before: FeedPlan | undefined): FeedPlan | undefined {
    const { stream, recent } = this.#parts
    const isFlowing = (track: FeedTrack): boolean => stream.isFlowing(track, nowMs, LOST_MS)
    this.leftOut.review(stream.program?.tracks ?? [], isFlowing, { nowMs, entries: recent.entries })
    const found = stream.plan(nowMs, FOUND_MS, before)
    const plan = found && { ...found, audio: found.audio.filter((track) => !this.leftOut.has(track)) }
    return plan?.video === undefined && plan?.audio.length === 0 ? undefined : plan
  }

  /** For every chunk: the run is told on which PIDs its tracks go on. */
  follow(run: EncoderRun, nowMs: number): void {
    const same = this.#parts.stream.remapped(run.plan)
    if (isSamePids(same, run.plan)) return
    run.followPids(same)
    this.#mappedMs = nowMs
  }

  /** At a key frame: those for a run that starts here, and those of the run that still goes on. */
  next(run: EncoderRun, nowMs: number): { readonly plan: FeedPlan; readonly lasting: FeedPlan } | undefined {
    const { stream } = this.#parts
    const found = this.find(nowMs, run.plan)
    if (found === undefined) return undefined
    const mayComeBack = (track: FeedTrack): boolean =>
      !this.leftOut.has(track) && (nowMs - this.#mappedMs < LOST_MS || stream.isFlowing(track, nowMs, LOST_MS))
    const plan = withKept(found, run.plan, mayComeBack)
    // Sound that is silent and announced is no reason to start again; a run that starts anyway begins without it.
    const lasting = withKept(plan, run.plan, (track) => track.media === 'audio' && stream.announces(track))
    return { plan, lasting }
  }

  /** A run has ended: tracks that it could not decode are left out of the next ones. */
  judge(run: EncoderRun, workedMs: number, nowMs: number): void {
    if (run.hasBegun && workedMs >= FAILED_MS) return this.leftOut.noteWorked()
    this.leftOut.judge(run, this.#parts.recent.entries, nowMs)
  }
}
