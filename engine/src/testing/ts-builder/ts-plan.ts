// The plan of a transport stream to build (TsPlan), and the description of the result (BuiltTs). All options have a
// default; the defaults give one program of H.264 and AAC, much as ffmpeg would write it.
import type { AudioCodec } from './audio-frames.js'
import type { CodedPicture, KeyPicture, VideoPacking } from './video-format.js'

export type VideoCodec = 'h264' | 'h265' | 'mpeg2'

export interface VideoPlan {
  /** Default h264. */
  readonly codec?: VideoCodec
  /** Default 0x100, the second program 0x120 and so on. */
  readonly pid?: number
  /** Default 25. */
  readonly fps?: number
  /** Pictures from key picture to key picture; `Infinity` for only one. Default 25. */
  readonly gopFrames?: number
  /** B pictures between two others. Default 0. */
  readonly bFrames?: number
  /** Default idr. */
  readonly keyPicture?: KeyPicture
  /** random_access_indicator on key pictures that are random access points. Default true. */
  readonly randomAccessIndicator?: boolean
  /** Default 500000 bit/s; coded pictures have a minimum size. */
  readonly bitrate?: number
  /** Default 64 x 48 pixels. Multiples of 16. */
  readonly width?: number
  readonly height?: number
  /** Every picture carries an empty pair of CEA-608, as encoders send where there are no captions at the moment; H.264. */
  readonly captions?: boolean
  /** PES_packet_length is written, not 0. Pictures must then stay under 64 KiB. Default false. */
  readonly boundedPes?: boolean
  /** How pictures become PES packets. Default: each begins one. */
  readonly packing?: VideoPacking
  /** Pictures that were coded elsewhere, instead of rendered ones; their times count from the start of the stream. */
  readonly pictures?: readonly CodedPicture[]
}

export interface AudioPlan {
  /** Default aac. */
  readonly codec?: AudioCodec
  /** Default 0x101 and up, the second program 0x121 and up. */
  readonly pid?: number
  /** ISO 639-2 code for a language descriptor; none by default. */
  readonly language?: string
  /** audio_type in the language descriptor. Default 0. */
  readonly audioType?: number
  /** Default 2. */
  readonly framesPerPes?: number
  /** AAC only; default 96000 bit/s. */
  readonly bitrate?: number
}

export interface DataPlan {
  /** SCTE-35 sections with splice_null, or PES packets of private data; those of the other kinds say what they are. */
  readonly kind: 'scte35' | 'private' | 'klv' | 'teletext' | 'id3'
  /** Default 0x110 and up, the second program 0x130 and up. */
  readonly pid?: number
  /** Default 500. */
  readonly intervalMs?: number
}

export interface PcrPlan {
  /** Default: the PID of the video track, else of the first audio track. Any other PID carries nothing but PCRs. */
  readonly pid?: number
  /**
   * `units`: at the beginning of units, the default where the PID is a track's; `packets`: in packets without payload,
   * the default on a PID of its own.
   */
  readonly carrier?: 'units' | 'packets'
  /** The minimum interval with `units`, the interval with `packets`. Default 20. */
  readonly intervalMs?: number
}

export interface ProgramPlan {
  /** program_number. Default 1 and up. */
  readonly number?: number
  /** Default 0x1000 and up. */
  readonly pmtPid?: number
  readonly video?: VideoPlan | false
  readonly audio?: AudioPlan | readonly AudioPlan[] | false
  readonly data?: readonly DataPlan[]
  readonly pcr?: PcrPlan
  /** Version of the PMT. Default 0. */
  readonly pmtVersion?: number
  /** Number of packets of the PMT, which is padded with private descriptors: 1 to 5. Default: as many as it needs. */
  readonly pmtPackets?: number
}

export interface PsiPlan {
  /** Default 100. */
  readonly intervalMs?: number
  /** Time from the beginning of the stream to its first PAT. Default 0. */
  readonly phaseMs?: number
  /** PAT and PMT also right before the start of each GOP. Default true. */
  readonly beforeKeyframes?: boolean
  /** Time between two packets of one section, so that others lie between them. Default 0. */
  readonly gapMs?: number
  /** Version of PAT, CAT and SDT. Default 0. */
  readonly version?: number
  /** With a CAT, or an SDT, every 500 ms. Default false. */
  readonly cat?: boolean
  readonly sdt?: boolean
}

/** A stream of one program, described by the keys of ProgramPlan, or of several `programs`. */
export interface TsPlan extends ProgramPlan {
  readonly programs?: readonly ProgramPlan[]
  /** Default 4. */
  readonly durationS?: number
  /** PTS of the first picture shown and of the first audio frame. Default 900000 (10 s). May be near the wrap. */
  readonly startPts90k?: number
  /** How long before its DTS a unit is sent. Default 200 ms. */
  readonly delayMs?: number
  /**
   * Packets of units that are sent at the same time alternate; otherwise each unit is sent in one run. Default true.
   */
  readonly interleave?: boolean
  readonly psi?: PsiPlan
  /** Constant total rate in bit/s, padded with null packets. Default: no null packets, variable rate. */
  readonly muxRate?: number
  /** A null packet after every `nullEvery` others. */
  readonly nullEvery?: number
  /** Counter of the next packet of a PID, by PID. Default 0. */
  readonly startCounters?: Readonly<Record<number, number>>
}

export interface BuiltUnit {
  readonly pid: number
  /** Of its first packet. */
  readonly offset: number
  readonly packets: number
  readonly pts90k: number
  readonly dts90k: number
  readonly randomAccess: boolean
}

export interface BuiltSection {
  readonly pid: number
  readonly tableId: number
  readonly version: number
  /** Of its first and of its last packet. */
  readonly offset: number
  readonly lastOffset: number
}

export interface BuiltTrack {
  readonly program: number
  readonly pid: number
  readonly streamType: number
  readonly media: 'video' | 'audio' | 'data'
  readonly codec: string
  readonly language: string
}

export interface BuiltTs {
  /** Whole packets of 188 bytes. */
  readonly bytes: Uint8Array
  readonly packets: number
  readonly nullPackets: number
  readonly tracks: readonly BuiltTrack[]
  /** In the order of their first packets; times on the wire (33 bits). */
  readonly units: readonly BuiltUnit[]
  /** Offsets of the random access points of the first program's video. */
  readonly keyframes: readonly number[]
  readonly sections: readonly BuiltSection[]
  readonly pcrs: readonly { readonly pid: number; readonly offset: number; readonly pcr27m: number }[]
  /** For `startCounters` of a stream that continues this one. */
  readonly nextCounters: Readonly<Record<number, number>>
  /** For `startPts90k` of a stream that continues this one. */
  readonly endPts90k: number
}
