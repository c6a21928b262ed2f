// The audio of a presentation in groups, one for each codec, so that a player that lacks a codec has another variant to
// take. All groups have the same members (RFC 8216, 4.3.4.1.1): a language without a track of the group's codec has the
// track of another one there.
import { listDescriptors } from '@millrace/media/mpegts'
import { playedRank, tsPlayersOf } from '@millrace/media/hls'
import type { DescribedTrack } from '../variant.js'
import { languageName, languageTag } from './languages.js'

export interface AudioMember<T> {
  readonly groupId: string
  readonly name: string
  /** BCP 47. */
  readonly language: string
  readonly isDefault: boolean
  readonly isSelected: boolean
  readonly channels: number | undefined
  readonly characteristics: string | undefined
  readonly track: T
}

export interface AudioGroup<T> {
  readonly id: string
  readonly members: readonly AudioMember<T>[]
}

export interface AudioPlan<T> {
  /** None for one track alone. */
  readonly groups: readonly AudioGroup<T>[]
  /** The variants are also listed without a group, for players that lack a codec of all groups. */
  readonly hasPlain: boolean
}

/** ISO_639_language_descriptor and its audio_type, ISO/IEC 13818-1 2.6.19. */
const LANGUAGE_DESCRIPTOR = 0x0a
const LANGUAGE_ENTRY_SIZE = 4
const KINDS: Readonly<Record<number, { readonly label: string; readonly characteristics?: string }>> = {
  1: { label: 'clean effects' },
  2: { label: 'for the hearing impaired', characteristics: 'public.accessibility.enhances-speech-intelligibility' },
  3: { label: 'audio description', characteristics: 'public.accessibility.describes-video' },
}

/** What a listener may choose: the same in one codec or several. */
interface Choice<T> {
  readonly name: string
  readonly language: string
  readonly characteristics: string | undefined
  readonly tracks: T[]
}

/** `tracks`: that of the variants' segments first. Those that few play are left out where they would cost others. */
export function planAudio<T extends DescribedTrack>(tracks: readonly T[]): AudioPlan<T> {
  const choices = listChoices(tracks)
  const [muxed] = choices
  if (muxed === undefined || tracks.length < 2) return { groups: [], hasPlain: false }
  const base = choices.filter((each) => rankOf(bestOf(each)) >= rankOf(tracks[0]!))
  const others = choices.filter((each) => !base.includes(each))
  // Where several are played as widely as that of the segments, the others would have to be in their group.
  if (base.length > 1 || others.length === 0) return { groups: listGroups(base, codecsOf(base)), hasPlain: false }
  const most = Math.max(...others.map((each) => rankOf(bestOf(each))))
  const offered = [...base, ...others.filter((each) => rankOf(bestOf(each)) === most)]
  return { groups: listGroups(offered, codecsOf(offered).slice(1)), hasPlain: true }
}

function listChoices<T extends DescribedTrack>(tracks: readonly T[]): readonly Choice<T>[] {
  const choices = new Map<string, Choice<T>>()
  const counts = new Map<string, number>()
  for (const track of tracks) {
    const kind = KINDS[audioTypeOf(track.descriptors)]
    const language = languageTag(track.track.language)
    const label = `${languageName(language) || 'Audio'}${kind === undefined ? '' : ` (${kind.label})`}`
    const count = (counts.get(`${codecOf(track)} ${label}`) ?? 0) + 1
    counts.set(`${codecOf(track)} ${label}`, count)
    const name = count === 1 ? label : `${label} ${count}`
    const known = choices.get(name)
    if (known !== undefined) known.tracks.push(track)
    else choices.set(name, { name, language, characteristics: kind?.characteristics, tracks: [track] })
  }
  return [...choices.values()]
}

function listGroups<T extends DescribedTrack>(
  choices: readonly Choice<T>[],
  codecs: readonly string[],
): readonly AudioGroup<T>[] {
  if (choices.length < 2 && codecs.length < 2) return []
  return codecs.map((id) => ({ id, members: membersOf(id, choices) }))
}

function membersOf<T extends DescribedTrack>(
  groupId: string,
  choices: readonly Choice<T>[],
): readonly AudioMember<T>[] {
  const selected = new Set<string>()
  return choices.map((choice, index) => {
    const { name, language, characteristics, tracks } = choice
    const track = tracks.find((each) => codecOf(each) === groupId) ?? bestOf(choice)
    // Players choose by language and characteristics: of those that have both alike, the first.
    const isSelected = !selected.has(`${language} ${characteristics}`)
    selected.add(`${language} ${characteristics}`)
    const channels = track.format?.channels
    return { groupId, name, language, characteristics, isSelected, isDefault: index === 0, channels, track }
  })
}

/** In the order of the tracks. */
function codecsOf<T extends DescribedTrack>(choices: readonly Choice<T>[]): readonly string[] {
  const [muxed, ...others] = choices.map(({ tracks }) => tracks)
  return [...new Set([...(muxed ?? []), ...others.flat()].map(codecOf))]
}

/** A group is named after its codec. */
function codecOf({ track, format }: DescribedTrack): string {
  return format?.name === 'mp4a.40.34' ? 'mp3' : track.codec
}

function bestOf<T extends DescribedTrack>({ tracks }: Choice<T>): T {
  const best = Math.max(...tracks.map(rankOf))
  return tracks.find((each) => rankOf(each) === best)!
}

function rankOf({ track, format }: DescribedTrack): number {
  return playedRank(tsPlayersOf(track.codec, format?.name))
}

function audioTypeOf(descriptors: Uint8Array): number {
  for (const { tag, data } of listDescriptors(descriptors)) {
    if (tag === LANGUAGE_DESCRIPTOR && data.length >= LANGUAGE_ENTRY_SIZE) return data[LANGUAGE_ENTRY_SIZE - 1]!
  }
  return 0
}
