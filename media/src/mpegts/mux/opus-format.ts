// Opus in MPEG-TS (ETSI TS 103 491 annex, "Opus audio in MPEG-2 TS"): private data with the registration `Opus`, and before
// each packet a control header with its size. The channels come from OpusHead, RFC 7845 5.1.
import { EXTENSION_DESCRIPTOR } from '../descriptors.js'
import type { AudioFormat } from './audio-format.js'
import { renderRegistration } from './track-descriptors.js'

const PRIVATE_STREAM = 0x06
const OPUS_EXTENSION = 0x80
const CLOCK_RATE = 48_000
/** control_header_prefix of 11 bits; nothing is trimmed. */
const CONTROL = [0x7f, 0xe0] as const
const MORE = 255
/** Samples of a frame by config, RFC 6716 table 2: SILK 10 to 60 ms, hybrid 10 and 20 ms, CELT 2.5 to 20 ms. */
const SILK = [480, 960, 1920, 2880]
const HYBRID = [480, 960]
const CELT = [120, 240, 480, 960]
/** 120 ms. */
const MAX_SAMPLES = 5760
const HEAD_SIZE = 19
const MAX_CHANNELS = 8

export class OpusFormat implements AudioFormat {
  readonly streamType = PRIVATE_STREAM
  readonly descriptors: Uint8Array
  readonly usesPrivateStream = true
  readonly sampleRate = CLOCK_RATE
  samples = 960
  #size = 0

  /** Undefined if MPEG-TS has no code for its channels. Without an OpusHead it is stereo. */
  static of(config: Uint8Array): OpusFormat | undefined {
    if (config.length === 0) return new OpusFormat(2)
    if (config.length < HEAD_SIZE) return undefined
    const channels = config[9]!
    const family = config[18]!
    const isKnown = family === 0 ? channels <= 2 : family === 1 && channels <= MAX_CHANNELS
    return channels > 0 && isKnown ? new OpusFormat(channels) : undefined
  }

  private constructor(channels: number) {
    this.descriptors = Uint8Array.of(...renderRegistration('Opus'), EXTENSION_DESCRIPTOR, 2, OPUS_EXTENSION, channels)
  }

  measure(bytes: Uint8Array, start: number, end: number): number {
    this.#size = end - start
    const samples = samplesOf(bytes, start, end)
    if (samples <= 0 || samples > MAX_SAMPLES) return -1
    this.samples = samples
    return CONTROL.length + Math.floor(this.#size / MORE) + 1
  }

  writeHead(target: Uint8Array, at: number): void {
    const more = Math.floor(this.#size / MORE)
    target[at] = CONTROL[0]
    target[at + 1] = CONTROL[1]
    target.fill(MORE, at + 2, at + 2 + more)
    target[at + 2 + more] = this.#size - more * MORE
  }
}

/** Of a packet at 48 kHz, RFC 6716 3.1 and 3.2; -1 if it is damaged. */
function samplesOf(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start) return -1
  const toc = bytes[start]!
  const config = toc >>> 3
  const frame = config < 12 ? SILK[config & 3]! : config < 16 ? HYBRID[config & 1]! : CELT[config & 3]!
  const code = toc & 3
  if (code === 0) return frame
  if (code < 3) return 2 * frame
  return end - start < 2 ? -1 : (bytes[start + 1]! & 0x3f) * frame
}
