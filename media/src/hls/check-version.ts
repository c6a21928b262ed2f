// Which EXT-X-VERSION a playlist needs, draft-pantos-hls-rfc8216bis section 8.
import type { Finding } from './finding.js'
import { attributeOf } from './playlist.js'
import type { Playlist, Tag } from './playlist.js'

/**
 * Never too high: that of RFC 8216. A presentation that may have services of CEA-708 (INSTREAM-ID) needs it, and has it in
 * all of its playlists.
 */
const COMMON_VERSION = 7
/** Delta updates need it; a presentation that offers them has it in all of its playlists. */
const LOW_LATENCY_VERSION = 9
const LOW_LATENCY_TAGS = new Set(['EXT-X-PART-INF', 'EXT-X-SERVER-CONTROL', 'EXT-X-SKIP'])

/** By tag; the others are as old as playlists. */
const NEEDED: Readonly<Record<string, (tag: Tag) => number>> = {
  'EXT-X-KEY': (tag) => (has(tag, 'KEYFORMAT') || has(tag, 'KEYFORMATVERSIONS') ? 5 : has(tag, 'IV') ? 2 : 1),
  EXTINF: ({ value }) => (/^\d+\.\d/.test(value) ? 3 : 1),
  'EXT-X-BYTERANGE': () => 4,
  'EXT-X-I-FRAMES-ONLY': () => 4,
  'EXT-X-MEDIA': (tag) => (attributeOf(tag, 'INSTREAM-ID')?.startsWith('SERVICE') === true ? 7 : 1),
  'EXT-X-DEFINE': (tag) => (has(tag, 'QUERYPARAM') ? 11 : 8),
  'EXT-X-SKIP': (tag) => (has(tag, 'RECENTLY-REMOVED-DATERANGES') ? 10 : LOW_LATENCY_VERSION),
}

export function checkVersion(playlist: Playlist): readonly Finding[] {
  const { version, tags, kind } = playlist
  const isIFrames = kind === 'media' && playlist.isIFramesOnly
  let needed = 1
  let reason = ''
  for (const tag of tags) {
    const by = neededBy(tag, isIFrames)
    if (by > needed) {
      needed = by
      reason = tag.name
    }
  }
  const line = tags.find(({ name }) => name === 'EXT-X-VERSION')?.line
  if (version < needed) {
    return [{ rule: 'version-too-low', seen: `version ${version}, and ${reason} needs ${needed}`, line }]
  }
  const isLowLatency = tags.some(({ name }) => LOW_LATENCY_TAGS.has(name))
  const accepted = Math.max(needed, isLowLatency ? LOW_LATENCY_VERSION + 1 : COMMON_VERSION)
  // All playlists of a presentation have the version that one of them needs, so that of the multivariant may be any.
  if (kind === 'media' && version > accepted) {
    return [{ rule: 'version-too-high', seen: `version ${version}, and ${accepted} is enough`, line }]
  }
  return line !== undefined && line !== 2 ? [{ rule: 'version-late', seen: `EXT-X-VERSION in line ${line}`, line }] : []
}

function neededBy(tag: Tag, isIFrames: boolean): number {
  if (tag.name === 'EXT-X-MAP') return isIFrames ? 5 : 6
  return NEEDED[tag.name]?.(tag) ?? 1
}

function has(tag: Tag, name: string): boolean {
  return attributeOf(tag, name) !== undefined
}
