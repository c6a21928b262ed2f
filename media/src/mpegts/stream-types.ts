// Media and codec of a stream in a PMT: by stream_type (ISO/IEC 13818-1 table 2-34, and the ranges of ATSC and SCTE),
// and for private data by its descriptors (ETSI EN 300 468, SMPTE registration).

import type { Track } from './chunk.js'
import {
  AAC_DESCRIPTOR,
  AC3_DESCRIPTOR,
  DTS_DESCRIPTOR,
  EAC3_DESCRIPTOR,
  listDescriptors,
  listExtensions,
  listRegistrations,
  readLanguage,
  SUBTITLING_DESCRIPTOR,
  TELETEXT_DESCRIPTOR,
} from './descriptors.js'
import type { PmtStream } from './pmt.js'

/** PES packets containing private data: the descriptors identify it. */
const PRIVATE_PES = 0x06
/** Stream types from here on are user private; a registration descriptor is more specific than the number. */
const USER_PRIVATE = 0x80

interface Kind {
  readonly media: Track['media']
  readonly codec: string
}

const BY_STREAM_TYPE: ReadonlyMap<number, Kind> = new Map([
  [0x01, { media: 'video', codec: 'mpeg1video' }],
  [0x02, { media: 'video', codec: 'mpeg2video' }],
  [0x03, { media: 'audio', codec: 'mp2' }],
  [0x04, { media: 'audio', codec: 'mp2' }],
  [0x0f, { media: 'audio', codec: 'aac' }],
  [0x10, { media: 'video', codec: 'mpeg4video' }],
  [0x11, { media: 'audio', codec: 'aac-latm' }],
  [0x15, { media: 'data', codec: 'metadata' }],
  [0x1b, { media: 'video', codec: 'h264' }],
  [0x21, { media: 'video', codec: 'jpeg2000' }],
  [0x24, { media: 'video', codec: 'h265' }],
  [0x33, { media: 'video', codec: 'h266' }],
  [0x42, { media: 'video', codec: 'avs' }],
  [0x81, { media: 'audio', codec: 'ac3' }], // ATSC A/53
  [0x86, { media: 'data', codec: 'scte35' }], // SCTE 35
  [0x87, { media: 'audio', codec: 'eac3' }], // ATSC A/53
  [0x8a, { media: 'audio', codec: 'dts' }],
  [0xd1, { media: 'video', codec: 'dirac' }],
  [0xd2, { media: 'video', codec: 'avs2' }],
  [0xd4, { media: 'video', codec: 'avs3' }],
  [0xea, { media: 'video', codec: 'vc1' }],
])

const BY_DESCRIPTOR: ReadonlyMap<number, Kind> = new Map([
  [AC3_DESCRIPTOR, { media: 'audio', codec: 'ac3' }],
  [EAC3_DESCRIPTOR, { media: 'audio', codec: 'eac3' }],
  [DTS_DESCRIPTOR, { media: 'audio', codec: 'dts' }],
  [AAC_DESCRIPTOR, { media: 'audio', codec: 'aac' }],
  [TELETEXT_DESCRIPTOR, { media: 'data', codec: 'teletext' }],
  [SUBTITLING_DESCRIPTOR, { media: 'data', codec: 'dvbsub' }],
])

const BY_REGISTRATION: ReadonlyMap<string, Kind> = new Map([
  ['AC-3', { media: 'audio', codec: 'ac3' }],
  ['AC-4', { media: 'audio', codec: 'ac4' }],
  ['AV01', { media: 'video', codec: 'av1' }],
  ['BSSD', { media: 'audio', codec: 's302m' }],
  ['CUEI', { media: 'data', codec: 'scte35' }],
  ['DTS1', { media: 'audio', codec: 'dts' }],
  ['DTS2', { media: 'audio', codec: 'dts' }],
  ['DTS3', { media: 'audio', codec: 'dts' }],
  ['EAC3', { media: 'audio', codec: 'eac3' }],
  ['HEVC', { media: 'video', codec: 'h265' }],
  ['ID3 ', { media: 'data', codec: 'id3' }],
  ['KLVA', { media: 'data', codec: 'klv' }],
  ['Opus', { media: 'audio', codec: 'opus' }],
  ['VANC', { media: 'data', codec: 'smpte2038' }],
  ['VC-1', { media: 'video', codec: 'vc1' }],
  ['drac', { media: 'video', codec: 'dirac' }],
])

/** descriptor_tag_extension, ETSI EN 300 468 table 109, and Opus in MPEG-TS (0x80, user defined). */
const BY_EXTENSION: ReadonlyMap<number, Kind> = new Map([
  [0x0e, { media: 'audio', codec: 'dts' }],
  [0x15, { media: 'audio', codec: 'ac4' }],
  [0x80, { media: 'audio', codec: 'opus' }],
])

/** The track of a stream in a PMT; its parameter sets are not known yet. */
export function trackOf(stream: PmtStream): Track {
  return {
    pid: stream.pid,
    streamType: stream.streamType,
    ...kindOf(stream),
    language: readLanguage(stream.descriptors),
    parameterSets: 0,
  }
}

function kindOf({ streamType, descriptors }: PmtStream): Kind {
  const byType = BY_STREAM_TYPE.get(streamType)
  if (byType !== undefined && streamType < USER_PRIVATE) return byType
  return (
    (streamType === PRIVATE_PES ? kindByDescriptor(descriptors) : undefined) ??
    kindByRegistration(descriptors) ??
    byType ?? { media: 'data', codec: hex(streamType) }
  )
}

function kindByDescriptor(descriptors: Uint8Array): Kind | undefined {
  for (const { tag } of listDescriptors(descriptors)) {
    const kind = BY_DESCRIPTOR.get(tag)
    if (kind !== undefined) return kind
  }
  for (const extension of listExtensions(descriptors)) {
    const kind = BY_EXTENSION.get(extension)
    if (kind !== undefined) return kind
  }
  return undefined
}

function kindByRegistration(descriptors: Uint8Array): Kind | undefined {
  for (const identifier of listRegistrations(descriptors)) {
    const kind = BY_REGISTRATION.get(identifier)
    if (kind !== undefined) return kind
  }
  return undefined
}

function hex(streamType: number): string {
  return `0x${streamType.toString(16).padStart(2, '0')}`
}
