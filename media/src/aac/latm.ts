// AAC in LATM with LOAS, as DVB sends it: AudioSyncStream and StreamMuxConfig, ISO/IEC 14496-3 1.7.2 and 1.7.3.
import { BitReader } from '../formats/bit-reader.js'
import { readAudioSpecificConfig } from './audio-specific-config.js'
import type { AacConfig } from './audio-specific-config.js'

const SYNC_WORD = 0x2b7
const HEADER_SIZE = 3
/** Frames that are searched for a configuration; streams repeat it several times a second. */
const MAX_FRAMES = 64

/** Of the first frame in `bytes` that carries it; undefined if none does. */
export function parseLatm(bytes: Uint8Array): AacConfig | undefined {
  let at = 0
  for (let frames = 0; frames < MAX_FRAMES && at + HEADER_SIZE <= bytes.length; frames++) {
    if ((bytes[at]! << 3) + (bytes[at + 1]! >>> 5) !== SYNC_WORD) {
      at++
      frames--
      continue
    }
    const end = at + HEADER_SIZE + (((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!)
    const config = readElement(new BitReader(bytes, at + HEADER_SIZE, Math.min(end, bytes.length)))
    if (config !== undefined) return config
    at = end
  }
  return undefined
}

/** AudioMuxElement: undefined if it uses the configuration of one before it. */
function readElement(bits: BitReader): AacConfig | undefined {
  if (bits.flag()) return undefined
  const version = bits.bits(1)
  // audioMuxVersionA is reserved.
  if (version === 1 && bits.flag()) return undefined
  if (version === 1) readLatmValue(bits) // taraBufferFullness
  bits.skip(7) // allStreamsSameTimeFraming, numSubFrames
  bits.skip(7) // numProgram, numLayer
  if (version === 1) readLatmValue(bits) // ascLen
  const config = readAudioSpecificConfig(bits)
  return bits.hasFailed || config.sampleRate === undefined || config.type === 0 ? undefined : config
}

/** LatmGetValue. */
export function readLatmValue(bits: BitReader): number {
  const bytes = bits.bits(2) + 1
  return bits.bits(bytes * 8)
}
