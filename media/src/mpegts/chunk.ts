// What travels on an edge of the graph: a run of whole transport stream packets, immutable, with the marks that the
// framer made in its one scan. Every reader works from the marks; nobody scans packets again.

/** Where a chunk came from: given by the source's framer, kept unchanged by nodes that pass data through. */
export interface Origin {
  /** One life of a source; a reconnect or a loop starts the next. From 0. */
  readonly generation: number
  /** Counts the chunks of a source over all generations, without gaps. From 0. */
  readonly seq: number
}

/**
 * How a chunk follows the one before it on the same edge: `false` without a break; `lost` because an edge of ours
 * dropped what was between; `source` because the source began a new generation (but a file that starts over goes on
 * without a break); `marked` because tracks, codecs or parameter sets changed.
 */
export type Discontinuity = false | 'lost' | 'source' | 'marked'

export interface Chunk {
  /** Whole packets of 188 bytes. Immutable; the only user of its ArrayBuffer. */
  readonly bytes: Uint8Array
  readonly origin: Origin
  /** Monotonic milliseconds at which the first byte arrived (the clock of `performance.now()`). */
  readonly receivedAtMs: number
  readonly discontinuity: Discontinuity
  /** Records of four numbers, ordered by offset: see marks.ts. */
  readonly marks: Int32Array
}

export interface TsChunk extends Chunk {
  readonly kind: 'ts'
  /** The chunk begins at a random access point of the input's program (or at the PSI right before it). */
  readonly randomAccess: boolean
}

export interface GopChunk extends Chunk {
  readonly kind: 'gop'
  readonly gop: Gop
  /** The first chunk of its GOP. There is no "last": a GOP ends at the next first, at a discontinuity, or at completion. */
  readonly first: boolean
}

/** From one random access point to the next. */
export interface Gop {
  readonly id: number
  /** The PAT, CAT and PMT packets in force at its start, whole packets, counters as the splice at this point needs them. */
  readonly psi: Uint8Array
  readonly tracks: readonly Track[]
  /** Presentation time of its first picture (audio only: frame), 90 kHz, 33 bit; -1 if the stream does not say. */
  readonly startPts90k: number
  readonly discontinuity: boolean
}

export interface Track {
  readonly pid: number
  /** stream_type of the PMT, ISO/IEC 13818-1 table 2-34. */
  readonly streamType: number
  readonly media: 'video' | 'audio' | 'data'
  /** Short codec name (`h264`, `aac`, `ac3` ...), or `0x` and the stream type where it is not known. */
  readonly codec: string
  /** ISO 639-2 code of the language descriptor, or the empty text. */
  readonly language: string
  /** Hash of the parameter sets in force (SPS, PPS, VPS, sequence header, ADTS header); 0 until they were seen. */
  readonly parameterSets: number
}
