// AAC in ADTS as a demuxer reads it, ISO/IEC 14496-3 1.A.2.
import { NO_FRAME, UNKNOWN } from '../audio/audio-syntax.js'
import type { AudioSyntax } from '../audio/audio-syntax.js'
import { ADTS_HEADER_SIZE, readAdtsConfiguration, readAdtsFrameLength } from './adts-header.js'
import { SAMPLE_RATES } from './audio-specific-config.js'
import { ProgramConfig } from './program-config.js'

const CRC_SIZE = 2
/** channel_configuration, in what `readAdtsConfiguration` returns. */
const CHANNELS = 7
const FRAME_SAMPLES = 1024
/** Frames without a description of their channels, after which none is expected: some seconds. */
const MOST_UNDESCRIBED = 200

export class AdtsSyntax implements AudioSyntax {
  readonly codec = 'aac'
  readonly samples = FRAME_SAMPLES
  payload: Uint8Array = new Uint8Array(0)
  payloadStart = 0
  payloadEnd = 0
  sampleRate = 0
  configKey = NO_FRAME
  readonly #programConfig = new ProgramConfig()
  #undescribed = 0

  /** Players can't be configured for channels that nothing describes. */
  get refusal(): string | undefined {
    return this.#undescribed > MOST_UNDESCRIBED ? 'aac without a description of its channels' : undefined
  }

  measure(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < ADTS_HEADER_SIZE) return bytes[at] === 0xff ? UNKNOWN : NO_FRAME
    return readAdtsConfiguration(bytes, at, end) < 0 ? NO_FRAME : readAdtsFrameLength(bytes, at)
  }

  /** False for several blocks in one frame, whose borders only a decoder finds; and for channels not described so far. */
  extract(bytes: Uint8Array, at: number, size: number): boolean {
    const hasCrc = (bytes[at + 1]! & 1) === 0
    const start = at + ADTS_HEADER_SIZE + (hasCrc ? CRC_SIZE : 0)
    if (start >= at + size || (bytes[at + 6]! & 3) !== 0) return false
    // ID, the top bit, is no part of the configuration.
    const key = readAdtsConfiguration(bytes, at, at + size) & 0x1ff
    if ((key & CHANNELS) === 0 && !this.#isDescribed(bytes, start, at + size)) return false
    this.configKey = (key & CHANNELS) === 0 ? key | (this.#programConfig.version << 9) : key
    this.sampleRate = SAMPLE_RATES[(this.configKey >>> 3) & 0x0f]!
    this.payload = bytes
    this.payloadStart = start
    this.payloadEnd = at + size
    return true
  }

  /** AudioSpecificConfig, 1.6.2.1: type, rate and channels; GASpecificConfig is all zeros but for what describes channels. */
  renderConfig(): Uint8Array {
    const key = this.configKey & 0x1ff
    const fields = (((key >>> 7) + 1) << 11) | (((key >>> 3) & 0x0f) << 7) | ((key & 7) << 3)
    return (key & CHANNELS) === 0 ? this.#programConfig.render(fields) : Uint8Array.of(fields >>> 8, fields & 0xff)
  }

  /** A description may stand in the first frames alone. */
  #isDescribed(bytes: Uint8Array, start: number, end: number): boolean {
    this.#programConfig.read(bytes, start, end)
    if (this.#programConfig.version > 0) return true
    this.#undescribed++
    return false
  }
}
