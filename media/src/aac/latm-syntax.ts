// AAC in LATM with LOAS as a demuxer reads it, ISO/IEC 14496-3 1.7.2 and 1.7.3: one program, one layer, one frame in each
// AudioMuxElement, which is what broadcasters send.
import { NO_FRAME, UNKNOWN } from '../audio/audio-syntax.js'
import type { AudioSyntax } from '../audio/audio-syntax.js'
import { BitReader } from '../formats/bit-reader.js'
import { HIGH_EFFICIENCY, HIGH_EFFICIENCY_2, readAudioSpecificConfig } from './audio-specific-config.js'
import { readLatmValue } from './latm.js'

const HEADER_SIZE = 3
/** muxSlotLengthBytes and what AudioSyncStream can hold. */
const MAX_PAYLOAD = 8192
const NO_BYTES = new Uint8Array(0)

export class LatmSyntax implements AudioSyntax {
  readonly codec = 'aac'
  readonly payload = new Uint8Array(MAX_PAYLOAD)
  readonly payloadStart = 0
  payloadEnd = 0
  samples = 1024
  sampleRate = 0
  configKey = 0
  #config = NO_BYTES

  measure(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < HEADER_SIZE) return bytes[at] === 0x56 ? UNKNOWN : NO_FRAME
    if (bytes[at] !== 0x56 || (bytes[at + 1]! & 0xe0) !== 0xe0) return NO_FRAME
    return HEADER_SIZE + (((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!)
  }

  extract(bytes: Uint8Array, at: number, size: number): boolean {
    const bits = new BitReader(bytes, at + HEADER_SIZE, at + size)
    if (!bits.flag() && !this.#readConfig(bytes, bits)) return false
    if (this.#config.length === 0) return false
    // PayloadLengthInfo
    let length = 0
    for (let byte = 255; byte === 255 && !bits.hasFailed;) {
      byte = bits.bits(8)
      length += byte
    }
    if (bits.hasFailed || length === 0 || bits.position + length * 8 > (at + size) * 8) return false
    copyBits(bytes, bits.position, length, this.payload)
    this.payloadEnd = length
    return true
  }

  renderConfig(): Uint8Array {
    return this.#config
  }

  /** StreamMuxConfig; false if it is not of the one kind. */
  #readConfig(bytes: Uint8Array, bits: BitReader): boolean {
    const version = bits.bits(1)
    // audioMuxVersionA is reserved.
    if (version === 1 && bits.flag()) return false
    if (version === 1) readLatmValue(bits)
    const isSameFraming = bits.flag()
    const others = bits.bits(6) + bits.bits(4) + bits.bits(3) // numSubFrames, numProgram, numLayer
    if (!isSameFraming || others !== 0) return false
    const announced = version === 1 ? readLatmValue(bits) : -1
    const start = bits.position
    if (!this.#readAudio(bits)) return false
    const count = announced >= 0 ? announced : bits.position - start
    if (announced >= 0) bits.skip(start + announced - bits.position)
    if (bits.bits(3) !== 0) return false // frameLengthType
    bits.skip(8) // latmBufferFullness
    if (bits.flag()) skipOther(bits, version)
    if (bits.flag()) bits.skip(8) // crcCheckSum
    if (bits.hasFailed) return false
    this.#keep(bytes, start, count)
    return true
  }

  /** AudioSpecificConfig with GASpecificConfig, 4.4.1; false without channels, which an element of its own would describe. */
  #readAudio(bits: BitReader): boolean {
    const { type, sampleRate, channels } = readAudioSpecificConfig(bits)
    if (type === HIGH_EFFICIENCY || type === HIGH_EFFICIENCY_2) {
      if (bits.bits(4) === 15) bits.skip(24)
      if (bits.bits(5) === 31) bits.skip(6)
    }
    this.samples = bits.flag() ? 960 : 1024
    if (bits.flag()) bits.skip(14) // coreCoderDelay
    bits.skip(1) // extensionFlag
    if (sampleRate === undefined || channels === undefined || type === 0 || bits.hasFailed) return false
    this.sampleRate = sampleRate
    return true
  }

  #keep(bytes: Uint8Array, start: number, count: number): void {
    const config = new Uint8Array((count + 7) >>> 3)
    copyBits(bytes, start, config.length, config)
    if (count % 8 !== 0) config[config.length - 1]! &= 0xff << (8 - (count % 8))
    if (isSame(config, this.#config)) return
    this.#config = config
    this.configKey++
  }
}

function skipOther(bits: BitReader, version: number): void {
  if (version === 1) {
    readLatmValue(bits)
    return
  }
  for (let isMore = true; isMore && !bits.hasFailed;) {
    isMore = bits.flag()
    bits.skip(8)
  }
}

/** `length` bytes from any bit on. */
function copyBits(bytes: Uint8Array, position: number, length: number, into: Uint8Array): void {
  const shift = position & 7
  let at = position >>> 3
  for (let to = 0; to < length; to++, at++) {
    into[to] = shift === 0 ? bytes[at]! : (bytes[at]! << shift) | ((bytes[at + 1] ?? 0) >>> (8 - shift))
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}
