// Keys and initialisation sections of a media playlist: EXT-X-KEY and EXT-X-MAP, draft-pantos-hls-rfc8216bis 4.4.4.4 and
// 4.4.4.5.
import type { Finding } from './finding.js'
import { attributeOf } from './playlist.js'
import type { MediaPlaylist, Tag } from './playlist.js'

const METHODS = ['NONE', 'AES-128', 'AES-256-GCM', 'SAMPLE-AES', 'SAMPLE-AES-CTR']
/** 128 bits in hexadecimal, with `0x`; leading zeros may be left out. */
const MAX_IV_LENGTH = 2 + 32

export function checkKeys(playlist: MediaPlaylist): readonly Finding[] {
  const keys = playlist.tags.filter(({ name }) => name === 'EXT-X-KEY')
  return [...keys.flatMap(checkKey), ...checkMaps(playlist), ...checkIFrameMap(playlist)]
}

function checkKey(tag: Tag): readonly Finding[] {
  const findings: Finding[] = []
  const { line, attributes } = tag
  const method = attributeOf(tag, 'METHOD')
  const others = attributes === undefined ? 0 : attributes.values.size - 1
  if (method !== undefined && !METHODS.includes(method)) findings.push({ rule: 'key-method', seen: method, line })
  if (method === 'NONE' && others > 0) findings.push({ rule: 'key-none', seen: 'METHOD=NONE with attributes', line })
  if (method !== undefined && method !== 'NONE' && attributeOf(tag, 'URI') === undefined) {
    findings.push({ rule: 'key-none', seen: `METHOD=${method} without a URI`, line })
  }
  const iv = attributeOf(tag, 'IV') ?? ''
  if (iv.length > MAX_IV_LENGTH) findings.push({ rule: 'key-iv', seen: iv, line })
  return findings
}

/** A section has no sequence number that could be its IV. */
function checkMaps({ tags }: MediaPlaylist): readonly Finding[] {
  let key: Tag | undefined
  return tags.flatMap((tag): readonly Finding[] => {
    if (tag.name === 'EXT-X-KEY') key = tag
    if (tag.name !== 'EXT-X-MAP' || key === undefined || attributeOf(key, 'METHOD') !== 'AES-128') return []
    if (attributeOf(key, 'IV') !== undefined) return []
    return [{ rule: 'map-iv', seen: `EXT-X-KEY in line ${key.line} has no IV`, line: tag.line }]
  })
}

function checkIFrameMap({ isIFramesOnly, hasEnded, segments }: MediaPlaylist): readonly Finding[] {
  const bare = segments.find(({ map, byteRange, isGap }) => map === undefined && byteRange !== undefined && !isGap)
  if (!isIFramesOnly || hasEnded || bare === undefined) return []
  return [{ rule: 'i-frame-map-missing', seen: `${bare.uri} without EXT-X-MAP`, line: bare.line }]
}
