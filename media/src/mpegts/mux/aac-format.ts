// AAC as ADTS, ISO/IEC 14496-3 1.A.2.2, and where ADTS has no fields for it as LATM in LOAS, 1.7.2 and 1.7.3.
import { ADTS_HEADER_SIZE } from '../../aac/adts-header.js'
import { SAMPLE_RATES } from '../../aac/audio-specific-config.js'
import { BitField } from '../../formats/bit-field.js'
import { readCoreClock } from './aac-config.js'
import type { AdtsFields } from './aac-config.js'
import type { AudioFormat } from './audio-format.js'

const ADTS_STREAM = 0x0f
const LATM_STREAM = 0x11
const FRAME_SAMPLES = 1024
/** aac_frame_length and audioMuxLengthBytes have 13 bits. */
const MAX_LENGTH = 8191
const FULLNESS_UNKNOWN = 0x7ff
const LOAS_SYNC = 0x2b7
const LOAS_HEADER_SIZE = 3
const MORE = 255
/** frameLengthType, latmBufferFullness, otherDataPresent, crcCheckPresent. */
const FRAMING_BITS = 3 + 8 + 1 + 1
const NONE = new Uint8Array(0)

export class AdtsFormat implements AudioFormat {
  readonly streamType = ADTS_STREAM
  readonly descriptors = NONE
  readonly usesPrivateStream = false
  readonly samples = FRAME_SAMPLES
  readonly sampleRate: number
  readonly #fields: AdtsFields
  #length = 0

  constructor(fields: AdtsFields) {
    this.#fields = fields
    this.sampleRate = SAMPLE_RATES[fields.rateIndex]!
  }

  measure(_bytes: Uint8Array, start: number, end: number): number {
    this.#length = ADTS_HEADER_SIZE + end - start
    return this.#length > MAX_LENGTH ? -1 : ADTS_HEADER_SIZE
  }

  writeHead(target: Uint8Array, at: number): void {
    const { type, rateIndex, channels } = this.#fields
    const length = this.#length
    target[at] = 0xff
    target[at + 1] = 0xf1 // MPEG-4, no CRC
    target[at + 2] = ((type - 1) << 6) | (rateIndex << 2) | (channels >>> 2)
    target[at + 3] = ((channels & 3) << 6) | (length >>> 11)
    target[at + 4] = (length >>> 3) & 0xff
    target[at + 5] = ((length & 7) << 5) | (FULLNESS_UNKNOWN >>> 6)
    target[at + 6] = (FULLNESS_UNKNOWN & 0x3f) << 2
  }
}

export class LatmFormat implements AudioFormat {
  readonly streamType = LATM_STREAM
  readonly descriptors = NONE
  readonly usesPrivateStream = false
  readonly samples: number
  readonly sampleRate: number
  readonly #config: Uint8Array
  #payload = 0

  /** Every frame carries the configuration, so that a decoder can start at any. */
  constructor(config: Uint8Array) {
    this.#config = renderMuxConfig(config)
    const { samples, sampleRate } = readCoreClock(config)
    this.samples = samples
    this.sampleRate = sampleRate
  }

  measure(_bytes: Uint8Array, start: number, end: number): number {
    this.#payload = end - start
    const head = LOAS_HEADER_SIZE + this.#config.length + Math.floor(this.#payload / MORE) + 1
    return head + this.#payload - LOAS_HEADER_SIZE > MAX_LENGTH ? -1 : head
  }

  writeHead(target: Uint8Array, at: number): void {
    const more = Math.floor(this.#payload / MORE)
    const length = this.#config.length + more + 1 + this.#payload
    target[at] = LOAS_SYNC >>> 3
    target[at + 1] = ((LOAS_SYNC & 7) << 5) | (length >>> 8)
    target[at + 2] = length & 0xff
    target.set(this.#config, at + LOAS_HEADER_SIZE)
    const lengthAt = at + LOAS_HEADER_SIZE + this.#config.length
    target.fill(MORE, lengthAt, lengthAt + more)
    target[lengthAt + more] = this.#payload - more * MORE
  }
}

/**
 * useSameStreamMux and StreamMuxConfig of version 1, whose fill bits behind the AudioSpecificConfig (1.7.3.2.3) make it
 * whole bytes: the payload follows without a shift.
 */
function renderMuxConfig(config: Uint8Array): Uint8Array {
  const bits = new BitField()
  bits.add([0, 1], [1, 1], [0, 1]) // useSameStreamMux, audioMuxVersion, audioMuxVersionA
  bits.add([0, 2], [0xff, 8]) // taraBufferFullness
  bits.add([1, 1], [0, 6], [0, 4], [0, 3]) // allStreamsSameTimeFraming, numSubFrames, numProgram, numLayer
  const lengthBytes = config.length * 8 + 7 > 0xff ? 2 : 1
  const used = bits.count + 2 + lengthBytes * 8 + FRAMING_BITS
  const fill = (8 - (used % 8)) % 8
  bits.add([lengthBytes - 1, 2], [config.length * 8 + fill, lengthBytes * 8])
  for (const byte of config) bits.add([byte, 8])
  bits.add([0, fill])
  bits.add([0, 3], [0xff, 8], [0, 1], [0, 1])
  return Uint8Array.from(bits.bytes)
}
