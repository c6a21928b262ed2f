// Audio tracks that flow and cannot be decoded. They are left out of the next runs of the encoder, so that the others go on,
// until the source announces something else, stops sending them, or sends what can be decoded.
import type { NodeContext } from '@millrace/engine/plugin'
import { scanTracks } from '@millrace/media/formats'
import type { Track } from '@millrace/media/mpegts'
import type { FeedPlan, FeedTrack } from './feed-plan.js'
import { hasFrames } from './frame-sync.js'
import type { Entry } from './inlet-stream.js'

/** So long at least: each try costs the start of an encoder. */
const LEAST_MS = 60_000

const NONE: readonly FeedTrack[] = []

interface LeftOut {
  readonly track: FeedTrack
  readonly sinceMs: number
  /** It had frames, as far as is known. */
  readonly hadFrames: boolean
  /** A trial has brought it back, and the encoder could not decode it: no further trial tells more. */
  readonly isHopeless: boolean
}

/** How a run has ended that has passed nothing on, or not for long. */
export interface FailedRun {
  readonly plan: FeedPlan
  /** Its audio tracks that ffmpeg says it cannot decode, or that have no frames. */
  readonly undecodable: readonly FeedTrack[]
  /** It has taken its input, and one of its outputs has given nothing. */
  readonly isMute: boolean
}

export class LeftOutTracks {
  readonly #context: Pick<NodeContext, 'log' | 'ready' | 'degraded'>
  #all: readonly LeftOut[] = []
  /** Tracks of which ffmpeg says nothing were left out, and that was no help. */
  #isGuessWrong = false
  #guessed: readonly FeedTrack[] = []
  /** Brought back by a trial; no run has worked since then. */
  #restored: readonly FeedTrack[] = []

  constructor(context: Pick<NodeContext, 'log' | 'ready' | 'degraded'>) {
    this.#context = context
  }

  has({ pid, codec }: Pick<Track, 'pid' | 'codec'>): boolean {
    return this.#all.some(({ track }) => isSame(track, { pid, codec }))
  }

  /** For the status. */
  describe(): string[] {
    return this.#all.map(({ track }) => nameOf(track))
  }

  /** How the node is, if it is well otherwise. */
  tell(): void {
    if (this.#all.length === 0) this.#context.ready()
    else this.#context.degraded(`tracks that cannot be decoded are left out: ${this.describe().join(', ')}`)
  }

  /** Which tracks are left out from now on. Never the last track there is. */
  judge({ plan, undecodable, isMute }: FailedRun, entries: readonly Entry[], nowMs: number): void {
    if (undecodable.length === 0 && this.#guessed.length > 0) {
      this.#all = this.#all.filter(({ track }) => !this.#guessed.includes(track))
      this.#isGuessWrong = true
      this.#guessed = []
      return
    }
    const isGuess = undecodable.length === 0
    const those = !isGuess ? undecodable : isMute && !this.#isGuessWrong ? plan.audio : []
    if (plan.video === undefined && those.length === plan.audio.length) return
    if (isGuess) this.#guessed = those
    const empty = withoutFrames(those, entries)
    const added = those.map((track) => ({
      ...{ track, sinceMs: nowMs, hadFrames: !empty.includes(track) },
      isHopeless: this.#restored.some((other) => isSame(other, track)),
    }))
    this.#all = [...this.#all.filter(({ track }) => !those.some(({ pid }) => pid === track.pid)), ...added]
    for (const track of those) {
      this.#context.log.warn({ track: nameOf(track) }, 'a track is left out: ffmpeg cannot decode it')
    }
  }

  /** A run has begun: tells how the node is. */
  noteBegin(): void {
    this.#guessed = []
    this.#isGuessWrong = false
    this.tell()
  }

  /** A run has ended that has worked for a while. */
  noteWorked(): void {
    this.#restored = NONE
  }

  /** Those that had frames, were left out a minute ago, and still flow: only a trial can tell whether they are mended. */
  candidates(isFlowing: (track: FeedTrack) => boolean, nowMs: number): readonly FeedTrack[] {
    if (this.#all.length === 0) return NONE
    const those = this.#all.filter(
      ({ sinceMs, hadFrames, isHopeless }) => hadFrames && !isHopeless && nowMs - sinceMs >= LEAST_MS,
    )
    return those.map(({ track }) => track).filter(isFlowing)
  }

  /** It can be decoded again. */
  restore(track: FeedTrack): void {
    this.#all = this.#all.filter((other) => other.track !== track)
    this.#restored = [...this.#restored.filter((other) => !isSame(other, track)), track]
    this.#context.log.info({ track: nameOf(track) }, 'a track that was left out can be decoded again')
  }

  /** At a key frame: those that may be tried again no longer are left out. */
  review(announced: readonly Track[], isFlowing: (track: FeedTrack) => boolean, at: Recent): void {
    const isAnnounced = (track: FeedTrack): boolean => announced.some((other) => isSame(other, track))
    if (this.#restored.length > 0)
      this.#restored = this.#restored.filter((track) => isAnnounced(track) && isFlowing(track))
    if (this.#all.length === 0) return
    this.#all = this.#all.filter(({ track, sinceMs, hadFrames }) => {
      if (!isAnnounced(track)) return false
      if (at.nowMs - sinceMs < LEAST_MS) return true
      return isFlowing(track) && (hadFrames || withoutFrames([track], at.entries).length > 0)
    })
  }
}

interface Recent {
  readonly nowMs: number
  /** From the newest key frame on. */
  readonly entries: readonly Entry[]
}

function isSame(one: Pick<Track, 'pid' | 'codec'>, other: Pick<Track, 'pid' | 'codec'>): boolean {
  return one.pid === other.pid && one.codec === other.codec
}

function nameOf({ codec, language, pid }: FeedTrack): string {
  return `${codec}${language === '' ? '' : ` (${language})`} on PID ${pid}`
}

/** Each has sent so much that frames would be found, and none is. */
export function withoutFrames(tracks: readonly FeedTrack[], entries: readonly Entry[]): readonly FeedTrack[] {
  const parts = entries.map(({ bytes }) => bytes)
  const all = tracks.map((track) => ({ ...track, parameterSets: 0 }))
  const scans = scanTracks(all, parts, () => undefined)
  return tracks.filter(({ pid, codec }) => {
    const scan = scans.get(pid)
    return scan !== undefined && hasFrames(codec, scan.elementary) === false
  })
}
