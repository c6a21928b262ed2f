// What tells pictures apart in an elementary stream of H.264 (ITU-T H.264, 7.3 and 7.4.1.2.3) or H.265 (ITU-T H.265, 7.3
// and 7.4.2.4.4): where an access unit begins, and whether its picture needs no other.

interface Syntax {
  typeOf(header: number): number
  /** nal_unit_type of the access unit delimiter. */
  readonly delimiter: number
  /** nal_unit_types that begin an access unit when they follow a slice. */
  readonly heads: readonly number[]
  isSlice(type: number): boolean
  /** Pictures of this type have I slices alone. */
  isIntraType(type: number): boolean
  /** Bytes of the NAL unit header. */
  readonly headerSize: number
}

const H264: Syntax = {
  typeOf: (header) => header & 0x1f,
  delimiter: 9,
  heads: [6, 7, 8, 9],
  isSlice: (type) => type >= 1 && type <= 5,
  isIntraType: (type) => type === 5,
  headerSize: 1,
}
const H265: Syntax = {
  typeOf: (header) => (header >>> 1) & 0x3f,
  delimiter: 35,
  heads: [32, 33, 34, 35, 39],
  isSlice: (type) => type <= 31,
  isIntraType: (type) => type >= 16 && type <= 23,
  headerSize: 2,
}
const START_CODE = Buffer.from([0, 0, 1])
/** first_mb_in_slice is 0, first_slice_segment_in_pic_flag is 1: the first bit of both. */
const FIRST_SLICE = 0x80
/** slice_type, H.264 table 7-6: I and SI, and the same where all slices of the picture are alike. */
const INTRA_SLICES = [2, 4, 7, 9]
const UNIFORM_FROM = 5

/** `unit`: what a PES packet begins with. It is the beginning of an access unit. */
export function startsPicture(unit: Uint8Array, codec: string): boolean {
  const syntax = syntaxOf(codec)
  const prefix = unit[2] === 0 ? 4 : 3
  const [a, b, c] = [unit[prefix - 3], unit[prefix - 2], unit[prefix - 1]]
  if (a !== 0 || b !== 0 || c !== 1 || unit[prefix] === undefined) return false
  const type = syntax.typeOf(unit[prefix])
  if (syntax.heads.includes(type)) return true
  return syntax.isSlice(type) && ((unit[prefix + syntax.headerSize] ?? 0) & FIRST_SLICE) !== 0
}

/** The first picture of an elementary stream of which more and more is there. Each byte is looked at once. */
export class FirstPicture {
  readonly #syntax: Syntax
  readonly #hasSliceTypes: boolean
  #isIntra: boolean | undefined
  #isDecided = false
  #delimiters = 0
  /** Where the next start code is looked for. */
  #at = 0

  constructor(codec: string) {
    this.#syntax = syntaxOf(codec)
    this.#hasSliceTypes = codec === 'h264'
  }

  /** It needs no other picture; undefined if there is none so far. */
  get isIntra(): boolean | undefined {
    return this.#isIntra
  }

  /** Another access unit begins behind it. Streams without delimiters do not show that. */
  get hasSecond(): boolean {
    return this.#delimiters > 1
  }

  /** `bytes`: those of the call before, and more. */
  read(bytes: Uint8Array): void {
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    while (!(this.#isDecided && this.hasSecond)) {
      const at = all.indexOf(START_CODE, this.#at)
      // A start code may go on with what is still to come.
      this.#at = at < 0 ? Math.max(this.#at, all.length - START_CODE.length + 1) : at
      if (at < 0 || at + START_CODE.length >= all.length) return
      this.#at = at + START_CODE.length
      this.#note(bytes, this.#at)
    }
  }

  /** `at`: of the header of a NAL unit. */
  #note(bytes: Uint8Array, at: number): void {
    const { delimiter, headerSize, isIntraType, isSlice, typeOf } = this.#syntax
    const type = typeOf(bytes[at]!)
    if (type === delimiter) {
      this.#delimiters++
      this.#isDecided ||= this.#isIntra !== undefined
    }
    if (this.#isDecided || !isSlice(type)) return
    const slice = this.#hasSliceTypes ? sliceType(bytes, at + headerSize) : -1
    this.#isIntra = isIntraType(type) || INTRA_SLICES.includes(slice)
    this.#isDecided = !this.#isIntra || isIntraType(type) || slice >= UNIFORM_FROM
  }
}

/** Behind first_mb_in_slice; -1 if it is not in the bytes. Both numbers are Exp-Golomb codes: ITU-T H.264, 9.1. */
function sliceType(bytes: Uint8Array, at: number): number {
  const word =
    ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
  const zeros = Math.clz32(word)
  const second = (word << (2 * zeros + 1)) >>> 0
  const length = Math.clz32(second)
  if (2 * zeros + 1 + 2 * length + 1 > 32) return -1
  return (second >>> (31 - 2 * length)) - 1
}

function syntaxOf(codec: string): Syntax {
  return codec === 'h265' ? H265 : H264
}
