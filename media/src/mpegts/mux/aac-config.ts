// What an AudioSpecificConfig asks of its transport: whether ADTS can say it (ISO/IEC 14496-3 1.6.2.1 and 1.A.2.2).
import { HIGH_EFFICIENCY, HIGH_EFFICIENCY_2, SAMPLE_RATES } from '../../aac/audio-specific-config.js'
import { BitReader } from '../../formats/bit-reader.js'

const EXPLICIT_RATE = 15
const ESCAPED_TYPE = 31
/** The profile of ADTS has two bits: AAC Main, LC, SSR, LTP. */
const LAST_ADTS_TYPE = 4
const LAST_ADTS_CHANNELS = 7
/** Low delay, enhanced low delay: frames of half the length. */
const LOW_DELAY_TYPES: readonly number[] = [23, 39]
/** Longer ones belong to no codec in use. */
const MAX_CONFIG_BYTES = 512

export interface AdtsFields {
  readonly type: number
  readonly rateIndex: number
  readonly channels: number
}

interface CoreConfig {
  readonly type: number
  readonly rateIndex: number
  /** Hz; undefined for a reserved index. */
  readonly rate: number | undefined
  readonly channels: number
  /** Hz of explicit spectral band replication. */
  readonly extendedRate: number | undefined
  readonly hasShortFrames: boolean
  readonly isTruncated: boolean
}

/**
 * The header fields of ADTS. Spectral band replication is not among them: decoders find it in the frames, if it doubles
 * the rate. `latm` where ADTS has no fields for it: other object types, rates and channels, and frames of 960 samples.
 */
export function readAdtsFields(config: Uint8Array): AdtsFields | 'latm' | 'unreadable' {
  if (config.length < 2 || config.length > MAX_CONFIG_BYTES) return 'unreadable'
  const { type, rateIndex, rate, channels, extendedRate, hasShortFrames, isTruncated } = readCore(config)
  if (isTruncated || type === 0 || rate === undefined || rate === 0) return 'unreadable'
  const hasFields = type <= LAST_ADTS_TYPE && rateIndex !== EXPLICIT_RATE && !hasShortFrames
  const hasChannels = channels > 0 && channels <= LAST_ADTS_CHANNELS
  const isImplied = extendedRate === undefined || extendedRate === rate * 2
  return hasFields && hasChannels && isImplied ? { type, rateIndex, channels } : 'latm'
}

/** Of the core: samples per frame and Hz. The config is readable. */
export function readCoreClock(config: Uint8Array): { readonly samples: number; readonly sampleRate: number } {
  const { type, rate, hasShortFrames } = readCore(config)
  const samples = LOW_DELAY_TYPES.includes(type) ? 512 : 1024
  return { samples: hasShortFrames ? (samples / 16) * 15 : samples, sampleRate: rate! }
}

function readCore(config: Uint8Array): CoreConfig {
  const bits = new BitReader(config, 0, config.length)
  const outer = readType(bits)
  const rateIndex = bits.bits(4)
  const rate = rateOf(rateIndex, bits)
  const channels = bits.bits(4)
  const isExtended = outer === HIGH_EFFICIENCY || outer === HIGH_EFFICIENCY_2
  // 0 stands for a reserved index: no rate doubles to it.
  const extendedRate = isExtended ? (rateOf(bits.bits(4), bits) ?? 0) : undefined
  const type = isExtended ? readType(bits) : outer
  return { type, rateIndex, rate, channels, extendedRate, hasShortFrames: bits.flag(), isTruncated: bits.hasFailed }
}

function rateOf(index: number, bits: BitReader): number | undefined {
  return index === EXPLICIT_RATE ? bits.bits(24) : SAMPLE_RATES[index]
}

function readType(bits: BitReader): number {
  const type = bits.bits(5)
  return type === ESCAPED_TYPE ? 32 + bits.bits(6) : type
}
