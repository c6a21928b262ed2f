// AudioSpecificConfig of AAC, ISO/IEC 14496-3 1.6.2.1, as far as object type, rate and channels go; and what ADTS and
// LATM share with it.
import type { BitReader } from '../formats/bit-reader.js'
import type { MediaFormat } from '../formats/media-format.js'

/** samplingFrequencyIndex, table 1.18. */
export const SAMPLE_RATES = [
  ...[96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350],
]
const EXPLICIT_RATE = 15
const ESCAPED_TYPE = 31
/** channelConfiguration 7 is 7.1; 11 to 14 have more, table 1.19. 0: described elsewhere. */
const CHANNELS = [undefined, 1, 2, 3, 4, 5, 6, 8, undefined, undefined, undefined, 7, 8, 24, 8]
/** Audio object types, table 1.17: AAC LC; spectral band replication (HE-AAC); parametric stereo (HE-AAC v2). */
const LOW_COMPLEXITY = 2
export const HIGH_EFFICIENCY = 5
export const HIGH_EFFICIENCY_2 = 29
/** At these rates AAC is used together with spectral band replication, whether that is announced or not. */
const LOW_RATE = 24_000

export interface AacConfig {
  /** Audio object type. */
  readonly type: number
  /** Hz, of the core: spectral band replication doubles it. */
  readonly sampleRate: number | undefined
  readonly channels: number | undefined
}

export function readAudioSpecificConfig(bits: BitReader): AacConfig {
  const type = readType(bits)
  const sampleRate = readRate(bits)
  const channels = CHANNELS[bits.bits(4)]
  return { type, sampleRate, channels }
}

/** `isExtended`: the stream has spectral band replication, which was not announced. */
export function formatOfAac({ type, sampleRate, channels }: AacConfig, isExtended = false): MediaFormat {
  const isLow = sampleRate !== undefined && sampleRate <= LOW_RATE
  const isPlain = type === LOW_COMPLEXITY
  const shown = isPlain && (isExtended || isLow) ? HIGH_EFFICIENCY : type
  const hasBand = shown === HIGH_EFFICIENCY || shown === HIGH_EFFICIENCY_2
  return {
    name: `mp4a.40.${shown}`,
    sampleRate: sampleRate && (hasBand && isLow ? sampleRate * 2 : sampleRate),
    channels: shown === HIGH_EFFICIENCY_2 ? 2 : channels,
  }
}

export function channelsOf(configuration: number): number | undefined {
  return CHANNELS[configuration]
}

function readType(bits: BitReader): number {
  const type = bits.bits(5)
  return type === ESCAPED_TYPE ? 32 + bits.bits(6) : type
}

function readRate(bits: BitReader): number | undefined {
  const index = bits.bits(4)
  return index === EXPLICIT_RATE ? bits.bits(24) : SAMPLE_RATES[index]
}
