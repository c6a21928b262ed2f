// An access unit as it stands in a transport stream, ISO/IEC 13818-1 2.14 and 2.17: the delimiter first, the parameter sets
// before each random access picture, a start code before each NAL unit.
import type { Frame } from '../../elementary/frame.js'
import type { Track } from '../../elementary/track.js'
import { H264_RULES } from '../../h264/random-access.js'
import { H265_RULES } from '../../h265/random-access.js'
import { ParameterSetStore } from '../parameter-set-store.js'
import { PARAMETER_SET, PICTURE } from '../picture-rules.js'
import type { PictureRules } from '../picture-rules.js'
import { LONG_PREFIX } from '../start-code.js'
import { listAvcSets, listHevcSets } from './configured-sets.js'
import type { PacketWriter } from './packet-writer.js'

/** With its start code: any slice types may follow. */
const H264_DELIMITER = Uint8Array.of(0, 0, 0, 1, 0x09, 0xf0)
const H265_DELIMITER = Uint8Array.of(0, 0, 0, 1, 0x46, 0x01, 0x50)
const H264_DELIMITER_TYPE = 9
const H265_DELIMITER_TYPE = 35
const PREFIX_SIZE = LONG_PREFIX.length
const MAX_UNITS = 4096
/** A longer one belongs to no stream in use; it is passed on, and not kept. */
const MAX_SET_BYTES = 4096
const NO_SETS: readonly Uint8Array[] = []

export class VideoUnit {
  readonly #rules: PictureRules
  readonly #isH265: boolean
  readonly #delimiter: Uint8Array
  #sets = new ParameterSetStore()
  /** Sets that stand before the units of the frame. */
  #before: readonly Uint8Array[] = NO_SETS
  /** Pairs of start and end of the frame's units that are written. */
  #units = new Int32Array(64)
  #count = 0
  #first = 0
  #last = 0
  isRandomAccess = false
  /** Bytes of what `measure` found. */
  size = 0

  constructor(track: Track) {
    this.#isH265 = track.codec === 'h265'
    this.#rules = this.#isH265 ? H265_RULES : H264_RULES
    this.#delimiter = this.#isH265 ? H265_DELIMITER : H264_DELIMITER
    this.configure(track.config)
  }

  /** The sets of the record replace all others. */
  configure(config: Uint8Array): void {
    this.#sets = new ParameterSetStore()
    this.#sets.beginUnit()
    for (const set of this.#isH265 ? listHevcSets(config) : listAvcSets(config)) this.#put(set)
  }

  /** Finds what is to be written; false if the frame has no picture. */
  measure(frame: Frame): boolean {
    this.#sets.beginUnit()
    this.#before = NO_SETS
    this.#count = 0
    this.size = this.#delimiter.length
    const hasPicture = this.#scan(frame)
    if (!hasPicture) return false
    this.isRandomAccess &&= this.#sets.hasAll(this.#rules)
    if (this.isRandomAccess && !this.#sets.isComplete) this.#setsFirst(frame.bytes)
    return true
  }

  /** Writes `size` bytes into the unit that is open. */
  write(writer: PacketWriter): void {
    writer.put(this.#delimiter, 0, this.#delimiter.length)
    for (const set of this.#before) {
      writer.put(LONG_PREFIX, 0, PREFIX_SIZE)
      writer.put(set, 0, set.length)
    }
    for (let at = 0; at < this.#count; at++) {
      writer.put(LONG_PREFIX, 0, PREFIX_SIZE)
      writer.putLoaded(this.#units[2 * at]!, this.#units[2 * at + 1]!)
    }
  }

  /** Passes the frame's bytes to the writer, for `write`. */
  load(writer: PacketWriter, bytes: Uint8Array): void {
    const isDense = 2 * (this.#last - this.#first) >= bytes.length
    writer.load(bytes, isDense ? 0 : this.#first, isDense ? bytes.length : this.#last)
  }

  #scan({ bytes, units, unitCount, isRandomAccess }: Frame): boolean {
    let hasPicture = false
    this.isRandomAccess = isRandomAccess
    this.#first = bytes.length
    this.#last = 0
    const count = Math.min(unitCount, units.length >>> 1, MAX_UNITS)
    for (let index = 0; index < count; index++) {
      const start = units[2 * index]!
      const end = Math.min(units[2 * index + 1]!, bytes.length)
      if (start < 0 || start >= end) continue
      const first = bytes[start]!
      if (this.#isDelimiter(first)) continue
      const kind = this.#rules.kindOf(first)
      if (kind === PARAMETER_SET) this.#put(bytes.subarray(start, end))
      if (kind === PICTURE) {
        hasPicture = true
        this.isRandomAccess ||= this.#rules.isKey(first)
      }
      this.#add(start, end)
    }
    return hasPicture
  }

  #add(start: number, end: number): void {
    if (2 * this.#count === this.#units.length) {
      const larger = new Int32Array(2 * this.#units.length)
      larger.set(this.#units)
      this.#units = larger
    }
    this.#units[2 * this.#count] = start
    this.#units[2 * this.#count + 1] = end
    this.#count++
    this.size += PREFIX_SIZE + end - start
    if (start < this.#first) this.#first = start
    if (end > this.#last) this.#last = end
  }

  /** All sets stand before the units, in the order in which a decoder needs them, and those of the frame are left out. */
  #setsFirst(bytes: Uint8Array): void {
    this.#before = this.#sets.all()
    for (const set of this.#before) this.size += PREFIX_SIZE + set.length
    let kept = 0
    for (let at = 0; at < this.#count; at++) {
      const start = this.#units[2 * at]!
      const end = this.#units[2 * at + 1]!
      if (this.#rules.kindOf(bytes[start]!) === PARAMETER_SET && this.#isKept(bytes.subarray(start, end))) {
        this.size -= PREFIX_SIZE + end - start
        continue
      }
      this.#units[2 * kept] = start
      this.#units[2 * kept + 1] = end
      kept++
    }
    this.#count = kept
  }

  #put(set: Uint8Array): void {
    if (set.length <= MAX_SET_BYTES) this.#sets.put(this.#rules, set, set.length)
  }

  #isKept(set: Uint8Array): boolean {
    return set.length <= MAX_SET_BYTES && this.#rules.setKey(set, set.length) >= 0
  }

  #isDelimiter(first: number): boolean {
    return this.#isH265 ? ((first >>> 1) & 0x3f) === H265_DELIMITER_TYPE : (first & 0x1f) === H264_DELIMITER_TYPE
  }
}
