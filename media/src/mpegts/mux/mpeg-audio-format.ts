// MPEG audio, layers I to III: frames as they are. MPEG-1 is stream type 0x03, the low rates of MPEG-2 0x04.
import { parseMpegAudioHeader } from '../../audio/mpeg-audio-header.js'
import type { AudioFormat } from './audio-format.js'

const MPEG1_STREAM = 0x03
const MPEG2_STREAM = 0x04
const LOWEST_MPEG1_RATE = 32_000
const LAYER3 = 1
const LAYER1 = 3

export class MpegAudioFormat implements AudioFormat {
  streamType = MPEG1_STREAM
  readonly descriptors = new Uint8Array(0)
  readonly usesPrivateStream = false
  samples = 1152
  sampleRate = 44_100
  /** Of the header that was parsed last: the same four bytes need not be parsed again. */
  #header = 0

  measure(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 4) return -1
    // Without padding_bit and what may differ between frames.
    const header = (bytes[start]! << 16) | (bytes[start + 1]! << 8) | (bytes[start + 2]! & 0xfc)
    if (header === this.#header) return 0
    const parsed = parseMpegAudioHeader(bytes, start)
    if (parsed?.sampleRate === undefined) return -1
    this.#header = header
    this.sampleRate = parsed.sampleRate
    const isLow = parsed.sampleRate < LOWEST_MPEG1_RATE
    this.streamType = isLow ? MPEG2_STREAM : MPEG1_STREAM
    const layer = (bytes[start + 1]! >>> 1) & 3
    this.samples = layer === LAYER1 ? 384 : layer === LAYER3 && isLow ? 576 : 1152
    return 0
  }

  writeHead(): void {
    // Frames stand as they are.
  }
}
