// What the multivariant playlist says: the variants and audio renditions that have media in the list, as measured there.
import { displaySizeOf } from '@millrace/media/formats'
import type { AudioTrack } from '../audio-rendition.js'
import { describeCaptions, type CaptionMember } from '../playlist/caption-members.js'
import { type Bandwidth, measureNewest } from '../playlist/bandwidth.js'
import { planAudio, type AudioGroup } from '../playlist/audio-groups.js'
import type { Life } from '../playlist/life.js'
import { playableOf } from '../playlist/playable-renditions.js'
import type { MultivariantPlaylist, Variant } from '../playlist/render-multivariant.js'
import { playlistUri } from '../playlist/render-playlist.js'
import type { Rendition } from '../rendition.js'
import { codecsOf } from '../variant.js'

export function describePresentation(renditions: readonly Rendition[], life: Life): MultivariantPlaylist {
  const measured = renditions.filter(({ name, bandwidth }) => measure(name, bandwidth, life))
  const listed = playableOf(measured, 'media', life)
  const source = listed.find(({ audio }) => audio.length > 1)
  const there = source?.audio.filter(
    ({ rendition: own }) =>
      own === undefined || (measure(own.name, own.bandwidth, life) && life.beginsWithMedia('media', own.name)),
  )
  const { groups, hasPlain } = planAudio(there ?? [])
  const lists = groups.length === 0 || hasPlain ? [undefined, ...groups] : groups
  return {
    variants: lists.flatMap((group) => listed.map((rendition) => variantOf(rendition, life, group))),
    areIndependent: life.areIndependent,
    audio: groups.flatMap(({ members }) =>
      members.map(({ track: { rendition }, ...member }) => {
        return { ...member, uri: rendition && playlistUri(rendition.name, life.id) }
      }),
    ),
    captions: captionsOf(listed),
  }
}

/** False: it has no media in the list, or not among what is measured. */
function measure(name: string, bandwidth: Bandwidth, { list, targetTicks }: Life): boolean {
  const measured = measureNewest(list.entries, ({ media }) => media.get(name)?.kept.length)
  if (measured.length > 0) bandwidth.measure(measured, targetTicks)
  return measured.length > 0
}

/** BANDWIDTH is that of everything that is played together: the largest audio of its group counts. */
function variantOf(
  { name, bandwidth, description, own }: Rendition,
  life: Life,
  group: AudioGroup<AudioTrack> | undefined,
): Variant {
  const { video, frameRate } = description
  const grouped = (group?.members ?? []).map(({ track }) => track)
  const further = grouped.flatMap(({ rendition }) => rendition?.bandwidth ?? [])
  return {
    uri: playlistUri(name, life.id),
    bandwidth: bandwidth.peak + Math.max(0, ...further.map(({ peak }) => peak)),
    averageBandwidth: bandwidth.average + Math.max(0, ...further.map(({ average }) => average)),
    codecs: codecsOf([...own, ...grouped]),
    size: displaySizeOf(video?.format ?? {}),
    frameRate: video && frameRate,
    audio: group?.id,
  }
}

/** Of all variants: undefined without video. */
function captionsOf(renditions: readonly Rendition[]): readonly CaptionMember[] | undefined {
  const videos = renditions.flatMap(({ description }) => description.video ?? [])
  if (videos.length === 0) return undefined
  const ids = new Set(renditions.flatMap(({ description }) => description.captions))
  return describeCaptions([...ids], videos[0]!.descriptors)
}
