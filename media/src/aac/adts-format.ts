// The format of AAC in ADTS, ISO/IEC 14496-3 1.A.2.2: the header, and what it does not say.
import type { MediaFormat } from '../formats/media-format.js'
import { ADTS_HEADER_SIZE, readAdtsConfiguration, readAdtsFrameLength } from './adts-header.js'
import { channelsOf, formatOfAac, SAMPLE_RATES } from './audio-specific-config.js'
import { seemsExtended } from './spectral-band-replication.js'

/** Frames that are looked into. One that seems to have spectral band replication may by chance; four do not. */
const FRAMES = 4
/** With CRC the header has two bytes more. */
const CRC_SIZE = 2

/** Of the first frames in `bytes`; undefined if there is none. */
export function parseAdts(bytes: Uint8Array): MediaFormat | undefined {
  const first = findFrame(bytes)
  if (first < 0) return undefined
  const type = (bytes[first + 2]! >>> 6) + 1
  const sampleRate = SAMPLE_RATES[(bytes[first + 2]! >>> 2) & 0x0f]
  const channels = channelsOf(((bytes[first + 2]! & 1) << 2) | (bytes[first + 3]! >>> 6))
  return formatOfAac({ type, sampleRate, channels }, areExtended(bytes, first))
}

/** A frame that another one follows; if there is none, the first that may be one. */
function findFrame(bytes: Uint8Array): number {
  let unsure = -1
  for (let at = 0; at + ADTS_HEADER_SIZE <= bytes.length; at++) {
    const configuration = readAdtsConfiguration(bytes, at, bytes.length)
    if (configuration < 0) continue
    const next = at + readAdtsFrameLength(bytes, at)
    if (readAdtsConfiguration(bytes, next, bytes.length) === configuration) return at
    if (next + ADTS_HEADER_SIZE > bytes.length && unsure < 0) unsure = at
  }
  return unsure
}

function areExtended(bytes: Uint8Array, first: number): boolean {
  let at = first
  for (let frames = 0; frames < FRAMES; frames++) {
    if (readAdtsConfiguration(bytes, at, bytes.length) < 0) return false
    const end = at + readAdtsFrameLength(bytes, at)
    const hasCrc = (bytes[at + 1]! & 1) === 0
    const hasSeveral = (bytes[at + 6]! & 3) !== 0
    const start = at + ADTS_HEADER_SIZE + (hasCrc ? CRC_SIZE : 0)
    if (end > bytes.length || hasSeveral || !seemsExtended(bytes, start, end)) return false
    at = end
  }
  return true
}
