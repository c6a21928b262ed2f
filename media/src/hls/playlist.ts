// A parsed playlist: what the rules look at. Values that a text lacks, or that are not readable, are undefined.
import type { AttributeList } from './attribute-list.js'
import type { Finding } from './finding.js'

export interface Tag {
  readonly name: string
  /** Behind the colon. */
  readonly value: string
  readonly line: number
  /** Of tags with an attribute list. */
  readonly attributes: AttributeList | undefined
}

export interface ByteRange {
  readonly length: number
  readonly offset: number | undefined
}

export interface Part {
  readonly line: number
  readonly uri: string
  readonly seconds: number
  readonly isIndependent: boolean
  readonly isGap: boolean
}

export interface Key {
  readonly line: number
  readonly method: string
  readonly uri: string | undefined
  /** 128 bits, hexadecimal; undefined: the sequence number of the segment. */
  readonly iv: string | undefined
  /** `identity`: the key is a file. */
  readonly format: string
}

/** EXT-X-MAP. */
export interface InitSection {
  readonly line: number
  readonly uri: string
  readonly byteRange: ByteRange | undefined
  /** That applies to it. */
  readonly key: Key | undefined
}

export interface Segment {
  /** Of its URI. */
  readonly line: number
  readonly uri: string
  /** EXTINF; undefined if it has none. */
  readonly seconds: number | undefined
  readonly sequence: number
  readonly discontinuitySequence: number
  /** EXT-X-DISCONTINUITY stands in front of it. */
  readonly isDiscontinuous: boolean
  readonly isGap: boolean
  readonly byteRange: ByteRange | undefined
  readonly key: Key | undefined
  /** The EXT-X-MAP in force. */
  readonly map: InitSection | undefined
  /** EXT-X-PROGRAM-DATE-TIME in front of it, in milliseconds since 1970. */
  readonly dateMs: number | undefined
  readonly parts: readonly Part[]
}

interface Common {
  readonly version: number
  /** All that are known, in order. */
  readonly tags: readonly Tag[]
  /** What the text itself breaks: syntax, tags in the wrong place. */
  readonly faults: readonly Finding[]
  readonly areIndependent: boolean
}

export interface MediaPlaylist extends Common {
  readonly kind: 'media'
  readonly targetSeconds: number | undefined
  readonly mediaSequence: number
  readonly discontinuitySequence: number
  readonly hasDiscontinuitySequence: boolean
  /** EVENT or VOD. */
  readonly type: string | undefined
  readonly hasEnded: boolean
  readonly isIFramesOnly: boolean
  readonly partTargetSeconds: number | undefined
  readonly segments: readonly Segment[]
  /** Of the segment that is being made. */
  readonly openParts: readonly Part[]
  /** EXT-X-SKIP: segments that a delta update leaves out. */
  readonly skipped: number
}

export interface Variant {
  readonly line: number
  readonly uri: string
  readonly attributes: AttributeList
}

export interface MultivariantPlaylist extends Common {
  readonly kind: 'multivariant'
  readonly variants: readonly Variant[]
  readonly iFrameVariants: readonly Variant[]
  /** EXT-X-MEDIA; `uri` is empty if it has none. */
  readonly renditions: readonly Variant[]
}

export type Playlist = MediaPlaylist | MultivariantPlaylist

export function attributeOf(
  { attributes }: { readonly attributes: AttributeList | undefined },
  name: string,
): string | undefined {
  return attributes?.values.get(name)?.value
}

/** Number of an attribute; undefined if it is absent or no number. */
export function numberOf(tag: { readonly attributes: AttributeList | undefined }, name: string): number | undefined {
  const text = attributeOf(tag, name)
  const value = text === undefined || text === '' ? NaN : Number(text)
  return Number.isFinite(value) ? value : undefined
}

/** Seconds of all segments. */
export function lengthSeconds(segments: readonly Segment[]): number {
  return segments.reduce((sum, { seconds = 0 }) => sum + seconds, 0)
}
