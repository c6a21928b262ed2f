// Tries tracks that were left out, beside the encoder: some seconds of one are decoded by an ffmpeg of their own, so that a
// track that is mended without a pause comes back, and one that is not costs viewers nothing.
import type { Clock, NodeContext, Processes } from '@millrace/engine/plugin'
import { difference33 } from '@millrace/media/mpegts'
import { INPUT } from './encoder-command.js'
import { Feed, FEED_AUDIO_PID } from './feed.js'
import type { FeedTrack } from './feed-plan.js'
import { firstPts, lastPts } from './inlet-stream.js'
import type { Entry } from './inlet-stream.js'

/** Between two trials; doubled for each track that comes back, since one may come and go. */
const PERIOD_MS = 60_000
const MOST_PERIOD_MS = 3_600_000
/** What is tried, by time and by size. */
const COLLECT_MS = 3000
const MOST_BYTES = 1024 * 1024
/** Less is not judged. */
const LEAST_S = 1
/** Of its time, so much must have been decoded. */
const LEAST_SHARE = 0.75
const SAMPLE_RATE = 8000
const SAMPLE_BYTES = 2
const TIMEOUT_MS = 15_000
const NICENESS = 10

export interface TrackTrialParts {
  readonly context: Pick<NodeContext, 'guard'>
  readonly clock: Pick<Clock, 'nowMs'>
  readonly processes: Pick<Processes, 'convert'>
  /** ffmpeg. */
  readonly program: readonly string[]
  /** Tracks that flow, and were left out long enough ago. */
  candidates(nowMs: number): readonly FeedTrack[]
  /** ffmpeg can decode it. Called in the scope of the node. */
  onDecoded(track: FeedTrack): void
}

interface Collected {
  readonly track: FeedTrack
  readonly feed: Feed
  readonly parts: Uint8Array[]
  readonly sinceMs: number
  bytes: number
}

export class TrackTrial implements AsyncDisposable {
  readonly #parts: TrackTrialParts
  readonly #ending = new AbortController()
  #collected: Collected | undefined
  #running: Promise<void> | undefined
  #nextMs = -Infinity
  #periodMs = PERIOD_MS
  #count = 0

  constructor(parts: TrackTrialParts) {
    this.#parts = parts
  }

  /** Resolves when no trial runs: a node runs one conversion at a time. */
  get idle(): Promise<void> {
    return this.#running ?? Promise.resolve()
  }

  /** The next chunk of the inlet. `mayRun`: nothing else is tried now. */
  push({ bytes }: Entry, mayRun: boolean): void {
    if (this.#running !== undefined) return
    const nowMs = this.#parts.clock.nowMs()
    const collected = (this.#collected ??= this.#begin(nowMs))
    if (collected === undefined) return
    const fed = collected.feed.take(bytes)
    if (fed.length > 0) collected.parts.push(fed.slice())
    collected.bytes += fed.length
    if (collected.bytes < MOST_BYTES && nowMs - collected.sinceMs < COLLECT_MS) return
    this.#collected = undefined
    if (mayRun) this.#try(collected)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  /** Each of them in turn. */
  #begin(nowMs: number): Collected | undefined {
    if (nowMs < this.#nextMs) return undefined
    const all = this.#parts.candidates(nowMs)
    const track = all[this.#count % Math.max(1, all.length)]
    if (track === undefined) return undefined
    this.#count++
    this.#nextMs = nowMs + this.#periodMs
    const feed = new Feed({ program: 1, pcrPid: track.pid, video: undefined, audio: [track] })
    return { track, feed, parts: [feed.tables()], sinceMs: nowMs, bytes: 0 }
  }

  #try({ track, parts }: Collected): void {
    const { context, processes, program, onDecoded } = this.#parts
    const input = Buffer.concat(parts)
    const spanS = spanOf(input, FEED_AUDIO_PID + track.slot)
    if (spanS < LEAST_S) return
    const note = context.guard((decodedBytes: number) => {
      this.#running = undefined
      if (this.#ending.signal.aborted || decodedBytes < spanS * SAMPLE_RATE * SAMPLE_BYTES * LEAST_SHARE) return
      this.#periodMs = Math.min(MOST_PERIOD_MS, this.#periodMs * 2)
      onDecoded(track)
    })
    const limits = {
      mostOutputBytes: MOST_BYTES,
      timeoutMs: TIMEOUT_MS,
      niceness: NICENESS,
      signal: this.#ending.signal,
    }
    this.#running = processes
      .convert({ command: [...program, ...trialArguments()], input, ...limits })
      .then(({ output }) => note(output?.length ?? 0))
  }
}

/** Seconds between its first and its last unit. */
function spanOf(bytes: Uint8Array, pid: number): number {
  const [first90k, last90k] = [firstPts(bytes, pid), lastPts(bytes, pid)]
  return first90k < 0 ? 0 : difference33(last90k, first90k) / 90_000
}

/** It reads as the encoder does: what ffmpeg recognizes only after more input, the encoder cannot decode. */
function trialArguments(): readonly string[] {
  return [
    ...['-hide_banner', '-nostats', '-loglevel', 'error', ...INPUT, '-map', '0:a:0'],
    ...['-ac', '1', '-ar', String(SAMPLE_RATE), '-c:a', 'pcm_s16le', '-f', 's16le', 'pipe:1'],
  ]
}
