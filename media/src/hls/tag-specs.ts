// The tags of playlists: in which kind they stand, what their values look like, which attributes they need. RFC 8216 4.3
// and draft-pantos-hls-rfc8216bis 4.4. Other tags are comments for a reader.

type ValueKind = 'none' | 'integer' | 'attributes' | 'other'
export type AttributeKind = 'integer' | 'decimal' | 'signed' | 'quoted' | 'word' | 'resolution' | 'hex' | 'cc'

export interface TagSpec {
  /** By default any. */
  readonly in?: 'media' | 'multivariant'
  readonly value: ValueKind
  /** At most one in a playlist. */
  readonly isSingle?: boolean
  /** Applies to the segments behind it, so it must stand in front of the first. */
  readonly isHead?: boolean
  readonly required?: readonly string[]
  readonly attributes?: Readonly<Record<string, AttributeKind>>
}

const STREAM = {
  BANDWIDTH: 'integer',
  'AVERAGE-BANDWIDTH': 'integer',
  CODECS: 'quoted',
  RESOLUTION: 'resolution',
  'HDCP-LEVEL': 'word',
  VIDEO: 'quoted',
} as const

export const TAG_SPECS: Readonly<Record<string, TagSpec>> = {
  'EXT-X-VERSION': { value: 'integer', isSingle: true },
  'EXT-X-INDEPENDENT-SEGMENTS': { value: 'none', isSingle: true },
  'EXT-X-START': {
    ...{ value: 'attributes', isSingle: true, required: ['TIME-OFFSET'] },
    attributes: { 'TIME-OFFSET': 'signed', PRECISE: 'word' },
  },
  'EXT-X-DEFINE': { value: 'attributes', attributes: { NAME: 'quoted', VALUE: 'quoted', IMPORT: 'quoted' } },
  'EXT-X-TARGETDURATION': { in: 'media', value: 'integer', isSingle: true },
  'EXT-X-MEDIA-SEQUENCE': { in: 'media', value: 'integer', isSingle: true, isHead: true },
  'EXT-X-DISCONTINUITY-SEQUENCE': { in: 'media', value: 'integer', isSingle: true, isHead: true },
  'EXT-X-ENDLIST': { in: 'media', value: 'none', isSingle: true },
  'EXT-X-PLAYLIST-TYPE': { in: 'media', value: 'other', isSingle: true },
  'EXT-X-I-FRAMES-ONLY': { in: 'media', value: 'none', isSingle: true },
  'EXT-X-PART-INF': {
    ...{ in: 'media', value: 'attributes', isSingle: true, required: ['PART-TARGET'] },
    attributes: { 'PART-TARGET': 'decimal' },
  },
  'EXT-X-SERVER-CONTROL': {
    ...{ in: 'media', value: 'attributes', isSingle: true },
    attributes: {
      ...{ 'CAN-SKIP-UNTIL': 'decimal', 'CAN-SKIP-DATERANGES': 'word', 'HOLD-BACK': 'decimal' },
      ...{ 'PART-HOLD-BACK': 'decimal', 'CAN-BLOCK-RELOAD': 'word' },
    },
  },
  EXTINF: { in: 'media', value: 'other' },
  'EXT-X-BYTERANGE': { in: 'media', value: 'other' },
  'EXT-X-DISCONTINUITY': { in: 'media', value: 'none' },
  'EXT-X-KEY': {
    ...{ in: 'media', value: 'attributes', required: ['METHOD'] },
    attributes: { METHOD: 'word', URI: 'quoted', IV: 'hex', KEYFORMAT: 'quoted', KEYFORMATVERSIONS: 'quoted' },
  },
  'EXT-X-MAP': {
    ...{ in: 'media', value: 'attributes', required: ['URI'] },
    attributes: { URI: 'quoted', BYTERANGE: 'quoted' },
  },
  'EXT-X-PROGRAM-DATE-TIME': { in: 'media', value: 'other' },
  'EXT-X-GAP': { in: 'media', value: 'none' },
  'EXT-X-BITRATE': { in: 'media', value: 'integer' },
  'EXT-X-PART': {
    ...{ in: 'media', value: 'attributes', required: ['URI', 'DURATION'] },
    attributes: { URI: 'quoted', DURATION: 'decimal', INDEPENDENT: 'word', BYTERANGE: 'quoted', GAP: 'word' },
  },
  'EXT-X-DATERANGE': {
    ...{ in: 'media', value: 'attributes', required: ['ID'] },
    attributes: {
      ...{ ID: 'quoted', CLASS: 'quoted', 'START-DATE': 'quoted', 'END-DATE': 'quoted', DURATION: 'decimal' },
      ...{ 'PLANNED-DURATION': 'decimal', 'END-ON-NEXT': 'word' },
      ...{ 'SCTE35-CMD': 'hex', 'SCTE35-OUT': 'hex', 'SCTE35-IN': 'hex' },
    },
  },
  'EXT-X-SKIP': {
    ...{ in: 'media', value: 'attributes', isSingle: true, required: ['SKIPPED-SEGMENTS'] },
    attributes: { 'SKIPPED-SEGMENTS': 'integer', 'RECENTLY-REMOVED-DATERANGES': 'quoted' },
  },
  'EXT-X-PRELOAD-HINT': {
    ...{ in: 'media', value: 'attributes', required: ['TYPE', 'URI'] },
    attributes: { TYPE: 'word', URI: 'quoted', 'BYTERANGE-START': 'integer', 'BYTERANGE-LENGTH': 'integer' },
  },
  'EXT-X-RENDITION-REPORT': {
    ...{ in: 'media', value: 'attributes', required: ['URI', 'LAST-MSN'] },
    attributes: { URI: 'quoted', 'LAST-MSN': 'integer', 'LAST-PART': 'integer' },
  },
  'EXT-X-MEDIA': {
    ...{ in: 'multivariant', value: 'attributes', required: ['TYPE', 'GROUP-ID', 'NAME'] },
    attributes: {
      ...{ TYPE: 'word', URI: 'quoted', 'GROUP-ID': 'quoted', LANGUAGE: 'quoted', 'ASSOC-LANGUAGE': 'quoted' },
      ...{ NAME: 'quoted', DEFAULT: 'word', AUTOSELECT: 'word', FORCED: 'word', 'INSTREAM-ID': 'quoted' },
      ...{ CHARACTERISTICS: 'quoted', CHANNELS: 'quoted' },
    },
  },
  'EXT-X-STREAM-INF': {
    ...{ in: 'multivariant', value: 'attributes', required: ['BANDWIDTH'] },
    attributes: {
      ...STREAM,
      ...{ 'FRAME-RATE': 'decimal', AUDIO: 'quoted', SUBTITLES: 'quoted', 'CLOSED-CAPTIONS': 'cc' },
    },
  },
  'EXT-X-I-FRAME-STREAM-INF': {
    ...{ in: 'multivariant', value: 'attributes', required: ['BANDWIDTH', 'URI'] },
    attributes: { ...STREAM, URI: 'quoted' },
  },
  'EXT-X-SESSION-DATA': {
    ...{ in: 'multivariant', value: 'attributes', required: ['DATA-ID'] },
    attributes: { 'DATA-ID': 'quoted', VALUE: 'quoted', URI: 'quoted', LANGUAGE: 'quoted' },
  },
  'EXT-X-SESSION-KEY': {
    ...{ in: 'multivariant', value: 'attributes', required: ['METHOD', 'URI'] },
    attributes: { METHOD: 'word', URI: 'quoted', IV: 'hex', KEYFORMAT: 'quoted', KEYFORMATVERSIONS: 'quoted' },
  },
  'EXT-X-CONTENT-STEERING': {
    ...{ in: 'multivariant', value: 'attributes', isSingle: true, required: ['SERVER-URI'] },
    attributes: { 'SERVER-URI': 'quoted', 'PATHWAY-ID': 'quoted' },
  },
}

const DECIMAL = /^\d{1,20}(\.\d{1,20})?$/
/** The value without its quotes. */
const PATTERNS: Readonly<Record<AttributeKind, RegExp>> = {
  integer: /^\d{1,20}$/,
  decimal: DECIMAL,
  signed: /^-?\d{1,20}(\.\d{1,20})?$/,
  quoted: /^/,
  word: /^\S+$/,
  resolution: /^\d{1,8}x\d{1,8}$/,
  hex: /^0[xX][0-9A-Fa-f]+$/,
  cc: /^/,
}

export function isAttributeOfKind(kind: AttributeKind, value: string, isQuoted: boolean): boolean {
  // CLOSED-CAPTIONS is a quoted group, or the word NONE.
  if (kind === 'cc') return isQuoted || value === 'NONE'
  return isQuoted === (kind === 'quoted') && PATTERNS[kind].test(value)
}
