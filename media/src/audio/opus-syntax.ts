// Opus in MPEG-TS as a demuxer reads it ("Opus audio in MPEG-2 TS", 4.2: opus_access_unit with its control header), and
// the identification header of RFC 7845 5.1 that other containers have instead.
import { NO_FRAME, UNKNOWN } from './audio-syntax.js'
import type { AudioSyntax } from './audio-syntax.js'

const PREFIX_SIZE = 2
const START_TRIM = 0x10
const END_TRIM = 0x08
const EXTENSION = 0x04
const SAMPLE_RATE = 48_000
/** au_size is a sum of bytes. */
const MAX_SIZE_BYTES = 64
/** Streams and coupled streams by number of channels, and their order: RFC 7845 5.1.1.2, mapping family 1. */
const STREAMS = [1, 1, 1, 2, 2, 3, 4, 4, 5]
const COUPLED = [0, 0, 1, 1, 2, 2, 2, 3, 3]
const MAPPINGS: readonly (readonly number[])[] = [
  ...[[], [0], [0, 1], [0, 2, 1], [0, 1, 2, 3], [0, 4, 1, 2, 3], [0, 4, 1, 2, 3, 5]],
  ...[
    [0, 4, 1, 2, 3, 5, 6],
    [0, 6, 1, 2, 3, 4, 5, 7],
  ],
]
/** Samples of a frame at 48 kHz by the low bits of config, RFC 6716 table 2: SILK, hybrid, CELT. */
const SILK_SAMPLES = [480, 960, 1920, 2880]
const HYBRID_SAMPLES = [480, 960]
const CELT_SAMPLES = [120, 240, 480, 960]

export class OpusSyntax implements AudioSyntax {
  readonly codec = 'opus'
  readonly sampleRate = SAMPLE_RATE
  readonly configKey = 0
  payload: Uint8Array = new Uint8Array(0)
  payloadStart = 0
  payloadEnd = 0
  samples = 0
  readonly #config: Uint8Array
  /** Of the unit that `measure` looked at. */
  #headerSize = 0

  constructor(channels: number) {
    this.#config = renderOpusHead(channels)
  }

  measure(bytes: Uint8Array, at: number, end: number): number {
    if (bytes[at] !== 0x7f || (at + 1 < end && (bytes[at + 1]! & 0xe0) !== 0xe0)) return NO_FRAME
    if (end - at < PREFIX_SIZE + 1) return UNKNOWN
    const flags = bytes[at + 1]!
    let size = 0
    let header = PREFIX_SIZE
    for (let byte = 255; byte === 255; header++) {
      if (header > MAX_SIZE_BYTES) return NO_FRAME
      if (at + header >= end) return UNKNOWN
      byte = bytes[at + header]!
      size += byte
    }
    if ((flags & START_TRIM) !== 0) header += 2
    if ((flags & END_TRIM) !== 0) header += 2
    if ((flags & EXTENSION) !== 0) {
      if (at + header >= end) return UNKNOWN
      header += 1 + bytes[at + header]!
    }
    this.#headerSize = header
    return header + size
  }

  extract(bytes: Uint8Array, at: number, size: number): boolean {
    this.measure(bytes, at, at + size)
    const start = at + this.#headerSize
    if (start >= at + size) return false
    this.payload = bytes
    this.payloadStart = start
    this.payloadEnd = at + size
    this.samples = opusSamples(bytes, start, at + size)
    return this.samples > 0
  }

  renderConfig(): Uint8Array {
    return this.#config
  }
}

/** Samples at 48 kHz of a packet, RFC 6716 3.1 and 3.2; 0 if it is damaged. */
function opusSamples(bytes: Uint8Array, start: number, end: number): number {
  const toc = bytes[start]!
  const config = toc >>> 3
  const frame =
    config < 12 ? SILK_SAMPLES[config & 3]! : config < 16 ? HYBRID_SAMPLES[config & 1]! : CELT_SAMPLES[config & 3]!
  const code = toc & 3
  if (code === 0) return frame
  if (code < 3) return 2 * frame
  return start + 1 < end ? frame * (bytes[start + 1]! & 0x3f) : 0
}

/** OpusHead; more than two channels in the order of Vorbis. */
function renderOpusHead(channels: number): Uint8Array {
  const count = channels >= 1 && channels < MAPPINGS.length ? channels : 2
  const fields = [1, count, 0, 0, ...[0x80, 0xbb, 0, 0], 0, 0]
  const mapping = count <= 2 ? [0] : [1, STREAMS[count]!, COUPLED[count]!, ...MAPPINGS[count]!]
  return Uint8Array.of(...Array.from('OpusHead', (character) => character.charCodeAt(0)), ...fields, ...mapping)
}
