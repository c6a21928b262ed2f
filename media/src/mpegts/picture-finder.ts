// Finds the access units of a video PID at which a decoder can start, however they are packed: several in a PES packet,
// one over several PES packets, parameter sets in a PES packet of their own. Where every PES packet begins an access
// unit, which is usual, only the beginning of each is read; otherwise all of it.
import { AccessUnits } from './access-unit.js'
import { CONTINUITY_ERROR, SCRAMBLED, TRANSPORT_ERROR, UNIT_START } from './marks.js'
import { hasRandomAccessIndicator, PACKET_SIZE, payloadOffset, readCounter } from './packet.js'
import { PesPayload } from './pes-payload.js'
import { pesHeaderEnd } from './pes.js'
import { LEADING, PICTURE } from './picture-rules.js'
import type { PictureRules } from './picture-rules.js'
import { nextStartCode } from './start-code.js'
import { UnitScanner } from './unit-scanner.js'

/** PES packets that are read completely at the beginning, and after one was found to be packed otherwise. */
const FIRST_PES = 4
const IRREGULAR_PES = 1000
/** So are those after this many without a random access point (and twice as many as between the last two). */
const SEARCH_AFTER_PES = 64
/** A start code prefix with a leading zero, and where its unit begins. */
const MAX_PREFIX_SIZE = 4
/** Of a PES packet without a picture, no more packets are read. */
const MAX_PACKETS = 64

export class PictureFinder {
  readonly units: AccessUnits
  /** Wants the next packet of the PID, even one without flags. */
  isReading = false
  readonly #rules: PictureRules
  readonly #pid: number
  readonly #scanner: UnitScanner
  readonly #payload = new PesPayload()
  #packets = 0
  /** How many PES packets are to be read completely. */
  #complete = FIRST_PES
  #pesSince = 0
  #pesBetween = 0
  /** The packet that was read last; -1 if it has left the buffer. */
  #last = -1

  /** `needsSets`: only pictures whose parameter sets have been seen count. */
  constructor(rules: PictureRules, pid: number, needsSets: boolean) {
    this.#rules = rules
    this.#pid = pid
    this.units = new AccessUnits(rules, pid, needsSets)
    this.#scanner = new UnitScanner(this.units)
  }

  /**
   * Takes a packet of the PID; `boundary`: where to cut if an access unit begins in it. Returns true if a random access
   * point was found: `units.found` tells where.
   */
  note(bytes: Uint8Array, offset: number, flags: number, boundary: number): boolean {
    if ((flags & (SCRAMBLED | TRANSPORT_ERROR)) !== 0) return this.#noteUnreadable(bytes, offset, flags, boundary)
    if ((flags & UNIT_START) === 0 && !this.isReading) return false
    if (!this.isReading && this.#isPlain(bytes, offset)) return false
    if (this.#isDuplicate(bytes, offset)) return false
    this.#last = offset
    if ((flags & CONTINUITY_ERROR) !== 0) this.#scanner.reset()
    this.units.at(bytes, offset, boundary)
    if ((flags & UNIT_START) !== 0) this.#beginPes(bytes, offset)
    this.#read(bytes, offset)
    if (!this.units.takeFound()) return false
    this.#pesBetween = this.#pesSince
    this.#pesSince = 0
    return true
  }

  /** It has these rules, and reads this PID. */
  reads(rules: PictureRules, pid: number): boolean {
    return rules === this.#rules && pid === this.#pid
  }

  /** Packets are not shown to it for now; parameter sets remain known. */
  pause(): void {
    this.isReading = false
    this.#last = -1
    this.#scanner.reset()
    this.units.giveUp()
  }

  /** The packets before `cut` have left the buffer. */
  shift(cut: number): void {
    this.units.shift(cut)
    this.#last = Math.max(-1, this.#last - cut)
  }

  #read(bytes: Uint8Array, offset: number): void {
    const { units } = this
    const end = offset + PACKET_SIZE
    const start = this.#payload.next(bytes, payloadOffset(bytes, offset), end)
    if (start < end) this.#scanner.push(bytes, start, end)
    if (this.#scanner.isPastZeros) units.continueUnit()
    if (units.isIrregular) this.#complete = IRREGULAR_PES
    units.isIrregular = false
    this.isReading = this.#complete > 0 || !units.isSatisfied
    if (++this.#packets >= MAX_PACKETS && !units.isSatisfied) units.giveUp()
  }

  /**
   * A PES packet that begins with an ordinary picture, which is nearly every one: nothing about it needs to be known.
   * Other pictures, and what comes with them, are left to the units.
   */
  #isPlain(bytes: Uint8Array, offset: number): boolean {
    if (this.#complete > 1 || this.#isSearching || hasRandomAccessIndicator(bytes, offset)) return false
    const rules = this.#rules
    const end = offset + PACKET_SIZE
    const start = pesHeaderEnd(bytes, payloadOffset(bytes, offset), end)
    let at = nextStartCode(bytes, start, end)
    if (at > start + MAX_PREFIX_SIZE) return false
    for (; at >= 0; at = nextStartCode(bytes, at, end)) {
      const kind = rules.kindOf(bytes[at]!)
      if (kind === LEADING) continue
      if (kind !== PICTURE || rules.isKey(bytes[at]!) || at + rules.headBytes > end) return false
      if (!rules.beginsPicture(bytes, at, end)) return false
      this.#pesSince++
      return true
    }
    return false
  }

  /** No random access point was found for so long that the PES packets may be packed otherwise. */
  get #isSearching(): boolean {
    return this.#pesSince >= Math.max(SEARCH_AFTER_PES, 2 * this.#pesBetween)
  }

  /** ISO/IEC 13818-1 2.4.3.3: a packet may be sent twice; only the PCR differs. */
  #isDuplicate(bytes: Uint8Array, offset: number): boolean {
    const last = this.#last
    if (last < 0 || readCounter(bytes, last) !== readCounter(bytes, offset)) return false
    const from = payloadOffset(bytes, offset) - offset
    if (payloadOffset(bytes, last) - last !== from || from === PACKET_SIZE) return false
    for (let at = from; at < PACKET_SIZE; at++) if (bytes[last + at] !== bytes[offset + at]) return false
    return true
  }

  #beginPes(bytes: Uint8Array, offset: number): void {
    const { units } = this
    if (this.#complete > 0) this.#complete--
    if (this.#isSearching) this.#complete = Math.max(this.#complete, 1)
    this.#pesSince++
    // What lies between the end of what was read and this PES packet is unknown.
    if (!this.isReading) this.#scanner.reset()
    this.#scanner.beginPes()
    this.#payload.begin()
    this.#packets = 0
    units.beginPes(hasRandomAccessIndicator(bytes, offset), this.#complete > 0)
  }

  /** Of a scrambled picture only the indicator can be read; a damaged packet says nothing. */
  #noteUnreadable(bytes: Uint8Array, offset: number, flags: number, boundary: number): boolean {
    this.#scanner.reset()
    if ((flags & TRANSPORT_ERROR) !== 0) return false
    const { units } = this
    if ((flags & UNIT_START) !== 0) {
      this.isReading = false
      units.at(bytes, offset, boundary)
      return units.beginUnreadable(hasRandomAccessIndicator(bytes, offset))
    }
    return this.isReading && units.endUnreadable()
  }
}
