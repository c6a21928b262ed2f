// Variants, groups and renditions of a multivariant playlist, RFC 8216 4.3.4.
import { checkMembers } from './check-members.js'
import { hasVideo } from './codecs.js'
import type { Finding } from './finding.js'
import { attributeOf, numberOf } from './playlist.js'
import type { MultivariantPlaylist, Tag, Variant } from './playlist.js'

const MEDIA_TYPES = ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS']

export function checkMultivariant(playlist: MultivariantPlaylist): readonly Finding[] {
  const { variants, iFrameVariants, tags } = playlist
  const findings: Finding[] = []
  if (variants.length === 0) findings.push({ rule: 'no-variants', seen: 'no EXT-X-STREAM-INF with a URI' })
  for (const variant of variants) findings.push(...checkVariant(variant))
  for (const variant of iFrameVariants) findings.push(...checkIFrames(variant))
  findings.push(
    ...checkGroups(playlist),
    ...checkMembers(playlist),
    ...checkRenditions(playlist),
    ...checkPresentationKind(playlist),
  )
  const said = variants.map((variant) => attributeOf(variant, 'CLOSED-CAPTIONS') === 'NONE')
  const odd = variants[said.indexOf(false)]
  if (said.includes(true) && odd !== undefined) {
    findings.push({ rule: 'captions-none', seen: `${odd.uri} without CLOSED-CAPTIONS=NONE`, line: odd.line })
  }
  return [...findings, ...tags.filter(({ name }) => name === 'EXT-X-SESSION-DATA').flatMap(checkSessionData)]
}

function checkVariant(variant: Variant): readonly Finding[] {
  const { uri, line } = variant
  const findings: Finding[] = []
  const has = (name: string) => attributeOf(variant, name) !== undefined
  const add = (rule: Finding['rule'], seen = uri) => findings.push({ rule, seen, line })
  const peak = numberOf(variant, 'BANDWIDTH')
  const average = numberOf(variant, 'AVERAGE-BANDWIDTH')
  if (!has('CODECS')) add('codecs-missing')
  if (average === undefined) add('average-missing')
  else if (peak !== undefined && average > peak) add('average-above-peak', `${average} above ${peak}`)
  if (!isVideo(variant)) return findings
  if (!has('RESOLUTION')) add('resolution-missing')
  if (!has('FRAME-RATE')) add('frame-rate-missing')
  if (!has('CLOSED-CAPTIONS')) add('captions-unsaid')
  return findings
}

function checkIFrames(variant: Variant): readonly Finding[] {
  const missing = ['CODECS', 'RESOLUTION'].filter((name) => attributeOf(variant, name) === undefined)
  if (missing.length === 0) return []
  return [{ rule: 'i-frame-attributes', seen: `${variant.uri} without ${missing.join(' and ')}`, line: variant.line }]
}

/** Groups that are named and not defined. */
function checkGroups({ variants, renditions }: MultivariantPlaylist): readonly Finding[] {
  const defined = new Set(renditions.map((one) => `${attributeOf(one, 'TYPE')} ${attributeOf(one, 'GROUP-ID')}`))
  return variants.flatMap((variant) =>
    MEDIA_TYPES.flatMap((type): readonly Finding[] => {
      const attribute = variant.attributes.values.get(type)
      if (attribute === undefined || !attribute.isQuoted || defined.has(`${type} ${attribute.value}`)) return []
      return [{ rule: 'group-missing', seen: `${type}="${attribute.value}"`, line: variant.line }]
    }),
  )
}

function checkRenditions({ renditions }: MultivariantPlaylist): readonly Finding[] {
  const findings: Finding[] = []
  const names = new Set<string>()
  const defaults = new Set<string>()
  for (const rendition of renditions) {
    const { line } = rendition
    const [type = '', group, name = ''] = ['TYPE', 'GROUP-ID', 'NAME'].map((each) => attributeOf(rendition, each))
    const key = `${type} ${group}`
    const isDefault = attributeOf(rendition, 'DEFAULT') === 'YES'
    const twice = names.has(`${key} ${name}`)
      ? `named ${name}`
      : isDefault && defaults.has(key)
        ? 'the default'
        : undefined
    if (twice !== undefined) findings.push({ rule: 'group-names', seen: `two members of ${group} are ${twice}`, line })
    names.add(`${key} ${name}`)
    if (isDefault) defaults.add(key)
    findings.push(...checkRendition(rendition, type, name))
  }
  return findings
}

function checkRendition(rendition: Variant, type: string, name: string): readonly Finding[] {
  const { line, uri } = rendition
  const findings: Finding[] = []
  const has = (attribute: string) => attributeOf(rendition, attribute) !== undefined
  const add = (rule: Finding['rule'], seen = `${type} ${name}`) => findings.push({ rule, seen, line })
  const isDefault = attributeOf(rendition, 'DEFAULT') === 'YES'
  if (isDefault && attributeOf(rendition, 'AUTOSELECT') === 'NO') add('media-default')
  if (type !== '' && !MEDIA_TYPES.includes(type)) add('media-type', type)
  const isIncomplete =
    type === 'CLOSED-CAPTIONS' ? uri !== '' || !has('INSTREAM-ID') : type === 'SUBTITLES' && uri === ''
  if (isIncomplete) add('media-uri')
  if (type !== 'VIDEO' && !has('LANGUAGE')) add('language-missing')
  return findings
}

/** What Apple asks of a presentation with video. */
function checkPresentationKind({ variants, iFrameVariants }: MultivariantPlaylist): readonly Finding[] {
  const videos = variants.filter(isVideo)
  if (videos.length === 0) return []
  const findings: Finding[] = []
  if (iFrameVariants.length === 0) findings.push({ rule: 'i-frames-missing', seen: 'no EXT-X-I-FRAME-STREAM-INF' })
  const rates = new Set(videos.map((variant) => numberOf(variant, 'BANDWIDTH')))
  if (rates.size < 2) findings.push({ rule: 'single-bitrate', seen: `${videos.length} variant with video` })
  return findings
}

function checkSessionData(tag: Tag): readonly Finding[] {
  const isOne = (attributeOf(tag, 'VALUE') === undefined) !== (attributeOf(tag, 'URI') === undefined)
  return isOne ? [] : [{ rule: 'session-data', seen: attributeOf(tag, 'DATA-ID') ?? '', line: tag.line }]
}

/** Without CODECS a variant is taken for video. */
export function isVideo(variant: Variant): boolean {
  const codecs = attributeOf(variant, 'CODECS')
  return codecs === undefined || hasVideo(codecs) || attributeOf(variant, 'RESOLUTION') !== undefined
}
