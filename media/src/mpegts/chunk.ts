// What the edges of the graph carry: a run of whole transport stream packets, immutable, with the marks from the
// framer's single scan. Every reader uses the marks; no one scans the packets again.

/**
 * Where a chunk came from: set by the source's framer. Nodes that pass data through keep the object itself, which tells
 * chunks of different sources with the same numbers apart.
 */
export interface Origin {
  /** Which run of the source: a reconnect or a loop starts the next one. From 0. */
  readonly generation: number
  /** Counts the chunks of a source across all generations, without gaps. From 0. */
  readonly seq: number
}

/**
 * How a chunk follows the previous one on the same edge: `false`: no break; `lost`: an edge of the engine dropped data
 * in between; `source`: the source began a new generation (a file that loops continues without a break); `marked`:
 * tracks, codecs or parameter sets changed.
 */
export type Discontinuity = false | 'lost' | 'source' | 'marked'

/** The track whose units cut chunks, and at which viewers start. The framer decides which one it is. */
export interface Lead {
  /** program_number. */
  readonly program: number
  readonly pid: number
  readonly media: Track['media']
  readonly codec: string
}

export interface Chunk {
  /** Whole packets of 188 bytes. Immutable; no one else uses its ArrayBuffer. */
  readonly bytes: Uint8Array
  readonly origin: Origin
  /** Monotonic milliseconds at which the first byte arrived (the clock of `performance.now()`). */
  readonly receivedAtMs: number
  readonly discontinuity: Discontinuity
  /** Records of four numbers, in order of offset: see marks.ts. */
  readonly marks: Int32Array
  /**
   * The track that leads: at the start of a chunk that begins at a random access point, else at its end. Later nodes obey
   * it. By default not known: there was no PAT or PMT so far.
   */
  readonly lead?: Lead
  /** What a decoder that starts with this chunk lacks; in nearly all streams nothing. */
  readonly head?: DecoderHead
}

/**
 * What must precede a chunk that begins at a random access point, for a decoder that starts there: never part of the
 * stream itself, put in front by whoever starts a reader (see `SpliceTracker.preamble`).
 */
export interface DecoderHead {
  /** The video PID. */
  readonly pid: number
  /**
   * Elementary stream bytes: parameter sets that were sent earlier and not again, then, if the picture begins inside a
   * packet, its bytes in that packet.
   */
  readonly elementary: Uint8Array
  /**
   * The picture begins inside the packet of the chunk that is marked RANDOM_ACCESS, after the end of another one: a
   * reader that starts here gets neither that packet nor those before it (see `splitAtStart`).
   */
  readonly startsInside: boolean
  /** Times of the picture, 90 kHz, 33 bits; -1 if it has none. */
  readonly pts90k: number
  readonly dts90k: number
}

export interface TsChunk extends Chunk {
  readonly kind: 'ts'
  /** The chunk begins at a random access point of the track that leads (or at the PSI directly before it). */
  readonly randomAccess: boolean
}

export interface GopChunk extends Chunk {
  readonly kind: 'gop'
  readonly gop: Gop
  /**
   * The first chunk of its GOP. There is no `last`: a GOP ends at the next first chunk, at a discontinuity, or at
   * completion.
   */
  readonly first: boolean
}

/** Everything from one random access point to the next. */
export interface Gop {
  readonly id: number
  /**
   * The PAT, CAT and PMT packets in force at its start: whole packets, with the counters that a splice at this point
   * needs.
   */
  readonly psi: Uint8Array
  readonly tracks: readonly Track[]
  /**
   * Presentation time of its first picture (of its first frame if audio only), 90 kHz, 33 bits; -1 if the stream has
   * none.
   */
  readonly startPts90k: number
  readonly discontinuity: boolean
}

export interface Track {
  readonly pid: number
  /** stream_type of the PMT, ISO/IEC 13818-1 table 2-34. */
  readonly streamType: number
  readonly media: 'video' | 'audio' | 'data'
  /** Short codec name (`h264`, `aac`, `ac3` ...), or `0x` and the stream type if the codec is unknown. */
  readonly codec: string
  /** ISO 639-2 code from the language descriptor, or an empty string. */
  readonly language: string
  /** Hash of the parameter sets in force (SPS, PPS, VPS, sequence header, ADTS header); 0 until they have been seen. */
  readonly parameterSets: number
}
