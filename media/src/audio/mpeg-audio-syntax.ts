// MPEG audio, layers I to III, as a demuxer reads it: ISO/IEC 11172-3 2.4.1.3 and 2.4.3.1, 13818-3 for low rates.
import { NO_FRAME, UNKNOWN } from './audio-syntax.js'
import type { AudioSyntax } from './audio-syntax.js'

const HEADER_SIZE = 4
const SAMPLE_RATES = [44_100, 48_000, 32_000]
/** ID: MPEG-2.5, reserved, MPEG-2, MPEG-1. */
const MPEG25 = 0
const RESERVED_ID = 1
const MPEG1 = 3
/** The layer's code. */
const LAYER_3 = 1
const LAYER_1 = 3
/** kbit/s by bitrate_index, table of 2.4.2.3 and 13818-3 2.4.2.3. */
const RATES_1: Readonly<Record<number, readonly number[]>> = {
  [LAYER_1]: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [LAYER_3]: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
}
const RATES_2_LAYER_1: readonly number[] = [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256]
const RATES_2: readonly number[] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
const NO_BYTES = new Uint8Array(0)

export class MpegAudioSyntax implements AudioSyntax {
  codec: 'mp2' | 'mp3' = 'mp2'
  readonly configKey = 0
  payload: Uint8Array = NO_BYTES
  payloadStart = 0
  payloadEnd = 0
  samples = 0
  sampleRate = 0

  measure(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < HEADER_SIZE) return bytes[at] === 0xff ? UNKNOWN : NO_FRAME
    return this.#read(bytes, at)
  }

  extract(bytes: Uint8Array, at: number, size: number): boolean {
    this.#read(bytes, at)
    this.codec = ((bytes[at + 1]! >>> 1) & 3) === LAYER_3 ? 'mp3' : 'mp2'
    this.payload = bytes
    this.payloadStart = at
    this.payloadEnd = at + size
    return true
  }

  renderConfig(): Uint8Array {
    return NO_BYTES
  }

  #read(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xe0) !== 0xe0) return NO_FRAME
    const id = (bytes[at + 1]! >>> 3) & 3
    const layer = (bytes[at + 1]! >>> 1) & 3
    const rate = SAMPLE_RATES[(bytes[at + 2]! >>> 2) & 3]
    const kbps = bitrateOf(id, layer, bytes[at + 2]! >>> 4)
    if (id === RESERVED_ID || layer === 0 || rate === undefined || kbps === 0) return NO_FRAME
    const padding = (bytes[at + 2]! >>> 1) & 1
    this.sampleRate = rate / (id === MPEG1 ? 1 : id === MPEG25 ? 4 : 2)
    this.samples = layer === LAYER_1 ? 384 : layer === LAYER_3 && id !== MPEG1 ? 576 : 1152
    if (layer === LAYER_1) return (Math.floor((12_000 * kbps) / this.sampleRate) + padding) * 4
    return Math.floor((this.samples * 125 * kbps) / this.sampleRate) + padding
  }
}

/** 0 if it is free, forbidden or of no layer. */
function bitrateOf(id: number, layer: number, index: number): number {
  if (id === MPEG1) return RATES_1[layer]?.[index] ?? 0
  return (layer === LAYER_1 ? RATES_2_LAYER_1 : RATES_2)[index] ?? 0
}
