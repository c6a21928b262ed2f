// Recognises files that are not transport streams, by their first bytes: people put films where a stream is meant.

interface Signature {
  readonly name: string
  readonly offset: number
  readonly bytes: readonly number[]
}

const text = (word: string): readonly number[] => [...Buffer.from(word)]

const SIGNATURES: readonly Signature[] = [
  // EBML, RFC 8794 section 11.2.
  { name: 'Matroska or WebM', offset: 0, bytes: [0x1a, 0x45, 0xdf, 0xa3] },
  // ISO/IEC 14496-12, box type.
  { name: 'MP4 or QuickTime', offset: 4, bytes: text('ftyp') },
  { name: 'FLV', offset: 0, bytes: text('FLV') },
  { name: 'AVI or WAV', offset: 0, bytes: text('RIFF') },
  { name: 'Ogg', offset: 0, bytes: text('OggS') },
  { name: 'ASF', offset: 0, bytes: [0x30, 0x26, 0xb2, 0x75] },
  // ISO/IEC 13818-1 2.5.3.3, pack_start_code.
  { name: 'an MPEG program stream', offset: 0, bytes: [0x00, 0x00, 0x01, 0xba] },
  { name: 'a playlist', offset: 0, bytes: text('#EXTM3U') },
]

/** As many bytes as the longest signature needs. */
export const HEAD_BYTES = 8

/** The name of the format; undefined if it is none of those, or if there are too few bytes to say. */
export function otherFormat(head: Uint8Array): string | undefined {
  return SIGNATURES.find(({ offset, bytes }) => bytes.every((byte, at) => head[offset + at] === byte))?.name
}
