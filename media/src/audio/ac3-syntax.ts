// AC-3 and Enhanced AC-3 as a demuxer reads them, ETSI TS 102 366 4.4.1, 4.4.2 and E.1.3.1.
import { NO_FRAME, UNKNOWN } from './audio-syntax.js'
import type { AudioSyntax } from './audio-syntax.js'

/** As far as it is read. */
const HEADER_SIZE = 6
const SAMPLE_RATES = [48_000, 44_100, 32_000]
/** kbit/s by frmsizecod / 2, table 4.13. */
const RATES = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640]
const BLOCK_SAMPLES = 256
/** By numblkscod, table E.1.3. */
const BLOCKS = [1, 2, 3, 6]
/** bsid: AC-3 up to 8, or 10 with low rates; Enhanced AC-3 from 11 to 16. */
const NORMAL_BSID = 8
const LAST_AC3 = 10
const LAST_EAC3 = 16
/** strmtyp: belongs to the independent substream before it. */
const DEPENDENT = 1
const NO_BYTES = new Uint8Array(0)

export class Ac3Syntax implements AudioSyntax {
  codec: 'ac3' | 'eac3'
  readonly configKey = 0
  payload: Uint8Array = NO_BYTES
  payloadStart = 0
  payloadEnd = 0
  samples = 0
  sampleRate = 0

  constructor(codec: 'ac3' | 'eac3') {
    this.codec = codec
  }

  /** An independent frame of Enhanced AC-3 with the dependent ones that follow. */
  measure(bytes: Uint8Array, at: number, end: number, isLast: boolean): number {
    if (end - at < HEADER_SIZE) return bytes[at] === 0x0b ? UNKNOWN : NO_FRAME
    let size = this.#read(bytes, at)
    if (size < 0 || !isEnhanced(bytes, at)) return size
    for (;;) {
      const next = at + size
      if (next + HEADER_SIZE > end) return isLast || next > end ? size : UNKNOWN
      if (!isDependent(bytes, next)) return size
      size += enhancedSize(bytes, next)
    }
  }

  extract(bytes: Uint8Array, at: number, size: number): boolean {
    if (isDependent(bytes, at)) return false
    this.#read(bytes, at)
    this.codec = isEnhanced(bytes, at) ? 'eac3' : 'ac3'
    this.payload = bytes
    this.payloadStart = at
    this.payloadEnd = at + size
    return true
  }

  renderConfig(): Uint8Array {
    return NO_BYTES
  }

  #read(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== 0x0b || bytes[at + 1] !== 0x77) return NO_FRAME
    const bsid = bytes[at + 5]! >>> 3
    if (bsid > LAST_EAC3) return NO_FRAME
    return bsid <= LAST_AC3 ? this.#readAc3(bytes, at, bsid) : this.#readEnhanced(bytes, at)
  }

  #readAc3(bytes: Uint8Array, at: number, bsid: number): number {
    const rate = SAMPLE_RATES[bytes[at + 4]! >>> 6]
    const code = bytes[at + 4]! & 0x3f
    const kbps = RATES[code >>> 1]
    if (rate === undefined || kbps === undefined) return NO_FRAME
    this.samples = 6 * BLOCK_SAMPLES
    this.sampleRate = rate >>> Math.max(0, bsid - NORMAL_BSID)
    const words = Math.floor((kbps * 96_000) / rate)
    return 2 * (words + (rate === 44_100 ? code & 1 : 0))
  }

  #readEnhanced(bytes: Uint8Array, at: number): number {
    const code = bytes[at + 4]! >>> 6
    const low = (bytes[at + 4]! >>> 4) & 3
    const rate = SAMPLE_RATES[code === 3 ? low : code]
    if (rate === undefined) return NO_FRAME
    this.sampleRate = code === 3 ? rate / 2 : rate
    this.samples = BLOCK_SAMPLES * (code === 3 ? 6 : BLOCKS[low]!)
    return enhancedSize(bytes, at)
  }
}

function isEnhanced(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 5]! >>> 3 > LAST_AC3
}

function isDependent(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x0b && bytes[at + 1] === 0x77 && isEnhanced(bytes, at) && bytes[at + 2]! >>> 6 === DEPENDENT
}

/** frmsiz */
function enhancedSize(bytes: Uint8Array, at: number): number {
  return 2 * ((((bytes[at + 2]! & 7) << 8) | bytes[at + 3]!) + 1)
}
