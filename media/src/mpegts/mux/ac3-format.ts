// AC-3 and Enhanced AC-3: frames as they are, announced as ATSC A/52 annex A and G do, or as DVB (ETSI EN 300 468 annex D).
import { parseAc3Header } from '../../audio/ac3-header.js'
import { AC3_DESCRIPTOR, EAC3_DESCRIPTOR } from '../descriptors.js'
import type { Ac3Standard, AudioFormat } from './audio-format.js'
import { renderRegistration } from './track-descriptors.js'

const PRIVATE_STREAM = 0x06
const ATSC_AC3_STREAM = 0x81
const ATSC_EAC3_STREAM = 0x87
const BLOCK_SAMPLES = 256
const AC3_BLOCKS = 6
/** numblkscod, ETSI TS 102 366 E.1.3.1.5. */
const EAC3_BLOCKS = [1, 2, 3, 6]
const LAST_AC3_BSID = 10
const REDUCED_RATE = 3

export class Ac3Format implements AudioFormat {
  readonly streamType: number
  readonly descriptors: Uint8Array
  readonly usesPrivateStream = true
  samples = AC3_BLOCKS * BLOCK_SAMPLES
  sampleRate = 48_000
  #header = 0

  constructor(codec: 'ac3' | 'eac3', standard: Ac3Standard) {
    const isEnhanced = codec === 'eac3'
    const atsc = isEnhanced ? ATSC_EAC3_STREAM : ATSC_AC3_STREAM
    this.streamType = standard === 'dvb' ? PRIVATE_STREAM : atsc
    this.descriptors =
      standard === 'dvb'
        ? Uint8Array.of(isEnhanced ? EAC3_DESCRIPTOR : AC3_DESCRIPTOR, 1, 0)
        : renderRegistration(isEnhanced ? 'EAC3' : 'AC-3')
  }

  measure(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < 8) return -1
    const header = (bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 4]! << 8) | bytes[start + 5]!
    if (header === this.#header) return 0
    const parsed = parseAc3Header(bytes, start)
    if (parsed?.sampleRate === undefined) return -1
    this.#header = header
    this.sampleRate = parsed.sampleRate
    const isEnhanced = bytes[start + 5]! >>> 3 > LAST_AC3_BSID
    const isReduced = bytes[start + 4]! >>> 6 === REDUCED_RATE
    const blocks = isEnhanced && !isReduced ? EAC3_BLOCKS[(bytes[start + 4]! >>> 4) & 3]! : AC3_BLOCKS
    this.samples = blocks * BLOCK_SAMPLES
    return 0
  }

  writeHead(): void {
    // Frames stand as they are.
  }
}
