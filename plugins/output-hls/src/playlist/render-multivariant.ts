// The text of the multivariant playlist, RFC 8216 4.3.4 and its successor draft-pantos-hls-rfc8216bis 4.4.6.
import type { DisplaySize } from '@millrace/media/formats'
import type { AudioMember } from './audio-groups.js'
import type { CaptionMember } from './caption-members.js'
import { PLAYLIST_VERSION } from './render-playlist.js'

export interface Variant {
  readonly uri: string
  /** Bits per second. */
  readonly bandwidth: number
  readonly averageBandwidth: number
  /** RFC 6381, separated by commas; empty if not all formats are known. */
  readonly codecs: string
  /** At which all of the picture is shown. */
  readonly size?: DisplaySize | undefined
  readonly frameRate?: number | undefined
  /** GROUP-ID of its audio. */
  readonly audio?: string | undefined
}

interface ListedAudio extends Omit<AudioMember<unknown>, 'track'> {
  /** Undefined: it is in the segments of the variants. */
  readonly uri: string | undefined
}

export interface MultivariantPlaylist {
  readonly variants: readonly Variant[]
  readonly areIndependent: boolean
  readonly audio: readonly ListedAudio[]
  /** Of all variants; undefined where there is no video that could have any. */
  readonly captions: readonly CaptionMember[] | undefined
}

const CAPTION_GROUP = 'cc'

export function renderMultivariant({ variants, areIndependent, audio, captions }: MultivariantPlaylist): string {
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${PLAYLIST_VERSION}`]
  if (areIndependent) lines.push('#EXT-X-INDEPENDENT-SEGMENTS')
  for (const each of audio) lines.push(renderAudio(each))
  for (const [index, each] of (captions ?? []).entries()) lines.push(renderCaptions(each, index === 0))
  for (const variant of variants) lines.push(renderVariant(variant, captions), variant.uri)
  return `${lines.join('\n')}\n`
}

function renderAudio(member: ListedAudio): string {
  const { groupId, name, language, isDefault, isSelected, channels, characteristics, uri } = member
  return `#EXT-X-MEDIA:${[
    ...['TYPE=AUDIO', `GROUP-ID="${groupId}"`, `NAME="${name}"`, `LANGUAGE="${language}"`],
    `DEFAULT=${isDefault ? 'YES' : 'NO'}`,
    `AUTOSELECT=${isSelected || isDefault ? 'YES' : 'NO'}`,
    ...(characteristics === undefined ? [] : [`CHARACTERISTICS="${characteristics}"`]),
    ...(channels === undefined ? [] : [`CHANNELS="${channels}"`]),
    ...(uri === undefined ? [] : [`URI="${uri}"`]),
  ].join(',')}`
}

function renderCaptions({ id, name, language }: CaptionMember, isDefault: boolean): string {
  return `#EXT-X-MEDIA:${[
    ...['TYPE=CLOSED-CAPTIONS', `GROUP-ID="${CAPTION_GROUP}"`, `NAME="${name}"`, `LANGUAGE="${language}"`],
    ...[`DEFAULT=${isDefault ? 'YES' : 'NO'}`, 'AUTOSELECT=YES', `INSTREAM-ID="${id}"`],
  ].join(',')}`
}

function renderVariant(variant: Variant, captions: readonly CaptionMember[] | undefined): string {
  const { bandwidth, averageBandwidth, codecs, size, frameRate, audio } = variant
  return `#EXT-X-STREAM-INF:${[
    ...[`BANDWIDTH=${bandwidth}`, `AVERAGE-BANDWIDTH=${averageBandwidth}`],
    ...(codecs === '' ? [] : [`CODECS="${codecs}"`]),
    ...(size === undefined ? [] : [renderResolution(size)]),
    ...(frameRate === undefined ? [] : [`FRAME-RATE=${frameRate.toFixed(3)}`]),
    ...(audio === undefined ? [] : [`AUDIO="${audio}"`]),
    ...renderCaptionGroup(captions),
  ].join(',')}`
}

export function renderResolution({ width, height }: DisplaySize): string {
  return `RESOLUTION=${width}x${height}`
}

/** All variants say NONE, or none of them does. */
function renderCaptionGroup(captions: readonly CaptionMember[] | undefined): readonly string[] {
  if (captions === undefined) return []
  return [captions.length === 0 ? 'CLOSED-CAPTIONS=NONE' : `CLOSED-CAPTIONS="${CAPTION_GROUP}"`]
}
