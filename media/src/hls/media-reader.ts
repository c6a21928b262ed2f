// Collects the segments of a media playlist from its lines.
import type { Finding } from './finding.js'
import { attributeOf, numberOf } from './playlist.js'
import type { ByteRange, InitSection, Key, MediaPlaylist, Part, Segment, Tag } from './playlist.js'

/** EXTINF: a duration, a comma, a title. The comma is missing in old playlists. */
const EXTINF = /^(\d{1,10}(?:\.\d{0,20})?)\s*(?:,|$)/
/** ISO 8601 with a zone, RFC 8216 4.3.2.6; without one it is the zone of the reader. */
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/i
/** Leading zeros may be left out. */
const IV = /^0x([0-9a-f]{1,32})$/i
const MAX_PARTS = 1000

export type MediaContent = Omit<MediaPlaylist, 'version' | 'tags' | 'faults' | 'areIndependent'>

export class MediaReader {
  readonly #report: (finding: Finding) => void
  readonly #segments: Segment[] = []
  #seconds: number | undefined
  #extinfLine = 0
  #isDiscontinuous = false
  #isGap = false
  #byteRange: ByteRange | undefined
  #dateMs: number | undefined
  #parts: Part[] = []
  #key: Key | undefined
  #map: InitSection | undefined
  #sequence = 0
  #discontinuity = 0

  constructor(report: (finding: Finding) => void) {
    this.#report = report
  }

  tag(tag: Tag): void {
    switch (tag.name) {
      case 'EXT-X-MEDIA-SEQUENCE':
        if (this.#segments.length === 0) this.#sequence = integerOf(tag.value)
        break
      case 'EXT-X-DISCONTINUITY-SEQUENCE':
        if (this.#segments.length === 0) this.#discontinuity = integerOf(tag.value)
        break
      case 'EXT-X-SKIP':
        this.#sequence += skippedBy(tag)
        break
      case 'EXTINF':
        this.#extinf(tag)
        break
      case 'EXT-X-BYTERANGE':
        this.#byteRange = this.#range(tag)
        break
      case 'EXT-X-DISCONTINUITY':
        this.#isDiscontinuous = true
        this.#discontinuity++
        break
      case 'EXT-X-GAP':
        this.#isGap = true
        break
      default:
        this.#other(tag)
    }
  }

  uri(uri: string, line: number): void {
    if (this.#seconds === undefined) this.#report({ rule: 'extinf-missing', seen: uri, line })
    this.#segments.push({
      ...{ line, uri, seconds: this.#seconds, sequence: this.#sequence++ },
      discontinuitySequence: this.#discontinuity,
      ...{ isDiscontinuous: this.#isDiscontinuous, isGap: this.#isGap, byteRange: this.#byteRange },
      ...{ key: this.#key, map: this.#map, dateMs: this.#dateMs, parts: this.#parts },
    })
    this.#seconds = undefined
    this.#isDiscontinuous = false
    this.#isGap = false
    this.#byteRange = undefined
    this.#dateMs = undefined
    this.#parts = []
  }

  finish(tags: readonly Tag[]): MediaContent {
    if (this.#seconds !== undefined) {
      this.#report({ rule: 'segment-uri-missing', seen: 'EXTINF at the end', line: this.#extinfLine })
    }
    const find = (name: string) => tags.find((tag) => tag.name === name)
    const integer = (name: string) => integerOf(find(name)?.value ?? '')
    const target = find('EXT-X-TARGETDURATION')
    const partInf = find('EXT-X-PART-INF')
    const skip = find('EXT-X-SKIP')
    return {
      kind: 'media',
      targetSeconds: target === undefined ? undefined : integerOf(target.value),
      mediaSequence: integer('EXT-X-MEDIA-SEQUENCE'),
      discontinuitySequence: integer('EXT-X-DISCONTINUITY-SEQUENCE'),
      hasDiscontinuitySequence: find('EXT-X-DISCONTINUITY-SEQUENCE') !== undefined,
      type: find('EXT-X-PLAYLIST-TYPE')?.value,
      hasEnded: find('EXT-X-ENDLIST') !== undefined,
      isIFramesOnly: find('EXT-X-I-FRAMES-ONLY') !== undefined,
      partTargetSeconds: partInf === undefined ? undefined : numberOf(partInf, 'PART-TARGET'),
      segments: this.#segments,
      openParts: this.#parts,
      skipped: skip === undefined ? 0 : skippedBy(skip),
    }
  }

  #extinf({ value, line }: Tag): void {
    if (this.#seconds !== undefined) {
      this.#report({ rule: 'segment-uri-missing', seen: 'two EXTINF in a row', line: this.#extinfLine })
    }
    this.#extinfLine = line
    const found = EXTINF.exec(value)
    if (found === null) this.#fault('EXTINF', value, line)
    this.#seconds = Number(found?.[1] ?? 0)
  }

  #range({ name, value, line }: Tag): ByteRange | undefined {
    const range = parseByteRange(value)
    if (range === undefined) this.#fault(name, value, line)
    return range
  }

  #other(tag: Tag): void {
    const { name, value, line } = tag
    if (name === 'EXT-X-PROGRAM-DATE-TIME') {
      this.#dateMs = parseDate(value)
      if (this.#dateMs === undefined) this.#fault(name, value, line)
    } else if (name === 'EXT-X-PLAYLIST-TYPE' && value !== 'EVENT' && value !== 'VOD') this.#fault(name, value, line)
    else if (name === 'EXT-X-KEY') this.#key = keyOf(tag)
    else if (name === 'EXT-X-MAP') this.#map = mapOf(tag, this.#key)
    else if (name === 'EXT-X-PART' && this.#parts.length < MAX_PARTS) this.#parts.push(partOf(tag))
  }

  #fault(name: string, value: string, line: number): void {
    this.#report({ rule: 'tag-value', seen: `${name}:${JSON.stringify(value.slice(0, 60))}`, line })
  }
}

/** `length[@offset]`; undefined if it is malformed. */
function parseByteRange(text: string): ByteRange | undefined {
  const found = /^(\d{1,15})(?:@(\d{1,15}))?$/.exec(text)
  if (found === null) return undefined
  return { length: Number(found[1]), offset: found[2] === undefined ? undefined : Number(found[2]) }
}

/** Milliseconds since 1970; undefined if it is no date with a time zone. */
export function parseDate(text: string): number | undefined {
  const ms = DATE.test(text) ? Date.parse(text.replace(',', '.').replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) : NaN
  return Number.isFinite(ms) ? ms : undefined
}

function keyOf(tag: Tag): Key {
  const digits = IV.exec(attributeOf(tag, 'IV') ?? '')?.[1]
  return {
    ...{ line: tag.line, method: attributeOf(tag, 'METHOD') ?? '', uri: attributeOf(tag, 'URI') },
    iv: digits?.toLowerCase().padStart(32, '0'),
    format: attributeOf(tag, 'KEYFORMAT') ?? 'identity',
  }
}

function mapOf(tag: Tag, key: Key | undefined): InitSection | undefined {
  const uri = attributeOf(tag, 'URI')
  const range = attributeOf(tag, 'BYTERANGE')
  return uri === undefined ? undefined : { line: tag.line, uri, byteRange: parseByteRange(range ?? ''), key }
}

function partOf(tag: Tag): Part {
  return {
    line: tag.line,
    uri: attributeOf(tag, 'URI') ?? '',
    seconds: numberOf(tag, 'DURATION') ?? 0,
    isIndependent: attributeOf(tag, 'INDEPENDENT') === 'YES',
    isGap: attributeOf(tag, 'GAP') === 'YES',
  }
}

function skippedBy(skip: Tag): number {
  return integerOf(attributeOf(skip, 'SKIPPED-SEGMENTS') ?? '')
}

/** 0 for what is no number that can be counted on from. */
function integerOf(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}
