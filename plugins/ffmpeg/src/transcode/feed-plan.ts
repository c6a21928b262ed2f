// Which tracks of the source the encoder is fed with: the picture, and all sound. Each audio track has a slot, which is its
// PID in all renditions, and keeps it over restarts and over changes of PIDs in the source.
import type { Track } from '@millrace/media/mpegts'

export interface FeedTrack {
  readonly pid: number
  readonly media: 'video' | 'audio'
  readonly codec: string
  readonly streamType: number
  readonly descriptors: Uint8Array
  /** ISO 639-2, or empty. */
  readonly language: string
  /** Of an audio track: its place among those of the renditions. 0 for video. */
  readonly slot: number
}

/** What the encoder is fed with. */
export interface FeedPlan {
  readonly program: number
  readonly pcrPid: number
  readonly video: FeedTrack | undefined
  /** By slot. */
  readonly audio: readonly FeedTrack[]
}

/** A stream may announce as many tracks as it likes. */
export const MOST_AUDIO = 16
/** No FFmpeg decodes these; an output whose sound cannot be decoded never begins. */
const UNDECODABLE: ReadonlySet<string> = new Set(['ac4'])

/** Languages that say nothing: none, and undetermined, ISO 639-2. */
const UNSAID: ReadonlySet<string> = new Set(['', 'und'])

/** It can be decoded, as far as its codec is known. */
export function isDecodable({ codec }: Pick<Track, 'codec'>): boolean {
  return !UNDECODABLE.has(codec)
}

/**
 * A slot for each of the chosen tracks, by PID: that of `kept`, or its place among the announced ones if that is free. Those
 * for which there is none are left out.
 */
export function audioSlots(
  announced: readonly Track[],
  chosen: readonly Track[],
  kept: readonly FeedTrack[],
): ReadonlyMap<number, number> {
  const slots = new Map<number, number>()
  const isAnnounced = ({ pid, codec }: FeedTrack): boolean => {
    return announced.some((track) => track.pid === pid && track.codec === codec)
  }
  const used = new Set(kept.filter(isAnnounced).map(({ slot }) => slot))
  for (const { pid, codec, language } of chosen) {
    const same = kept.find((track) => track.pid === pid && track.codec === codec)
    const moved = kept.find((track) => !used.has(track.slot) && track.codec === codec && track.language === language)
    const slot = same?.slot ?? moved?.slot
    if (slot === undefined) continue
    slots.set(pid, slot)
    used.add(slot)
  }
  for (const { pid } of chosen) {
    if (slots.has(pid)) continue
    const place = announced.findIndex((track) => track.pid === pid)
    const free = [place, ...Array.from({ length: MOST_AUDIO }, (_, slot) => slot)].find((slot) => !used.has(slot))
    if (free === undefined || free >= MOST_AUDIO) continue
    slots.set(pid, free)
    used.add(free)
  }
  return slots
}

/** For each track the one that goes on with it: on its PID, else in its language, else of its codec; none twice. */
export function successors(tracks: readonly FeedTrack[], announced: readonly Track[]): ReadonlyMap<FeedTrack, Track> {
  const found = new Map<FeedTrack, Track>()
  const rules: readonly ((track: FeedTrack, other: Track) => boolean)[] = [
    (track, other) => track.pid === other.pid,
    (track, other) => track.language === other.language,
    () => true,
  ]
  const taken = new Set<Track>()
  for (const rule of rules) {
    for (const track of tracks) {
      if (found.has(track)) continue
      const next = announced.find((other) => other.codec === track.codec && !taken.has(other) && rule(track, other))
      if (next === undefined) continue
      found.set(track, next)
      taken.add(next)
    }
  }
  return found
}

/** The tracks found, and of those of before the ones that may come back. */
export function withKept(found: FeedPlan, before: FeedPlan, mayComeBack: (track: FeedTrack) => boolean): FeedPlan {
  const stillFree = (track: FeedTrack): boolean => {
    return found.audio.every(({ pid, slot }) => pid !== track.pid && slot !== track.slot) && mayComeBack(track)
  }
  const { video } = before
  const audio = [...found.audio, ...before.audio.filter(stillFree)].sort((a, b) => a.slot - b.slot)
  return { ...found, audio, video: found.video ?? (video !== undefined && mayComeBack(video) ? video : undefined) }
}

/**
 * ffmpeg can go on with `before`: only PIDs differ. So it can if a language is no longer said: that of before is as good. One
 * that is another would be offered to viewers under the wrong name.
 */
export function isSameFeed(next: FeedPlan, before: FeedPlan): boolean {
  const isSame = (one: FeedTrack | undefined, other: FeedTrack | undefined): boolean =>
    one?.codec === other?.codec && one?.streamType === other?.streamType
  if (!isSame(next.video, before.video) || next.audio.length !== before.audio.length) return false
  return next.audio.every((track, index) => {
    const other = before.audio[index]
    const isLabelled = UNSAID.has(track.language) || track.language === other?.language
    return isSame(track, other) && track.slot === other?.slot && isLabelled
  })
}

/** The PIDs are the same too. Of plans with the same tracks. */
export function isSamePids(a: FeedPlan, b: FeedPlan): boolean {
  const isSameAudio = a.audio.every(({ pid }, index) => pid === b.audio[index]?.pid)
  return isSameAudio && a.video?.pid === b.video?.pid && a.pcrPid === b.pcrPid
}

/** For people. */
export function trackNames({ video, audio }: FeedPlan): string {
  const sound = audio.map(({ codec, language }) => (language === '' ? codec : `${codec} (${language})`))
  return [...(video === undefined ? [] : [video.codec]), ...sound].join(', ')
}
