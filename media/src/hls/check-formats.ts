// The formats in a segment against what its variant says, and who can play them.
import { displaySizeOf } from '../formats/display-size.js'
import type { MediaFormat } from '../formats/media-format.js'
import { hasVideo, otherNames, unnamedCodecs } from './codecs.js'
import type { Finding } from './finding.js'
import type { SegmentFacts } from './read-segment.js'
import { tsPlayersOf } from './ts-players.js'

/** What a variant says about its segments. */
export interface DeclaredFormats {
  /** CODECS; undefined if there is none. */
  readonly codecs: string | undefined
  /** RESOLUTION. */
  readonly resolution?: string | undefined
  /** It says CLOSED-CAPTIONS=NONE. */
  readonly hasNoCaptions?: boolean | undefined
  /** Only part of what CODECS names is in these segments: they are an audio rendition. */
  readonly isPart?: boolean | undefined
}

type FormatFacts = Pick<SegmentFacts, 'tracks' | 'formats' | 'hasTables' | 'captions'>

/** Of these the name is exact: profile and level. */
const EXACT: readonly string[] = ['h264', 'h265', 'aac', 'aac-latm']

export function checkFormats(facts: FormatFacts, declared: DeclaredFormats): readonly Finding[] {
  return [...checkCodecs(facts, declared), ...checkVideo(facts, declared), ...checkPlayers(facts)]
}

function checkCodecs(
  { tracks, formats, hasTables }: FormatFacts,
  { codecs, isPart }: DeclaredFormats,
): readonly Finding[] {
  if (codecs === undefined) return []
  const findings: Finding[] = []
  const unnamed = unnamedCodecs(
    codecs,
    tracks.map(({ codec }) => codec),
  )
  if (unnamed.length > 0)
    findings.push({ rule: 'codecs-incomplete', seen: `${unnamed.join(', ')} is not in "${codecs}"` })
  const isAbsent = hasTables && isPart !== true && hasVideo(codecs) && !tracks.some(({ media }) => media === 'video')
  if (isAbsent) findings.push({ rule: 'codecs-absent', seen: `no video, "${codecs}" names some` })
  for (const { codec, name } of formats) {
    const others = EXACT.includes(codec) ? otherNames(codecs, codec, name) : undefined
    if (others !== undefined)
      findings.push({ rule: 'codecs-differ', seen: `${name}, "${codecs}" names ${others.join()}` })
  }
  return findings
}

function checkVideo({ formats, captions }: FormatFacts, declared: DeclaredFormats): readonly Finding[] {
  const findings: Finding[] = []
  const video = formats.find(({ width }) => width !== undefined)
  const sizes = video === undefined ? [] : sizesOf(video)
  if (sizes.length > 0 && declared.resolution !== undefined && !sizes.includes(declared.resolution))
    findings.push({ rule: 'resolution-differs', seen: `${sizes.join(' or ')}, RESOLUTION=${declared.resolution}` })
  if (captions.length > 0 && declared.hasNoCaptions === true)
    findings.push({ rule: 'captions-hidden', seen: `${captions.join(', ')} in the video` })
  return findings
}

/** The size to display, and that of the coded picture, which many servers write. */
function sizesOf(video: MediaFormat): readonly string[] {
  const shown = displaySizeOf(video)
  const sizes = shown === undefined ? [] : [shown, { ...shown, width: video.width }]
  return [...new Set(sizes.map(({ width, height }) => `${width}x${height}`))]
}

function checkPlayers({ tracks, formats }: FormatFacts): readonly Finding[] {
  return tracks.flatMap(({ media, codec }) => {
    if (media === 'data') return []
    const { name, apple, browsers } = tsPlayersOf(codec, formats.find((format) => format.codec === codec)?.name)
    return [
      ...(apple === 'no' ? [{ rule: 'format-apple' as const, seen: name }] : []),
      ...(browsers === 'no' ? [{ rule: 'format-browsers' as const, seen: name }] : []),
    ]
  })
}
