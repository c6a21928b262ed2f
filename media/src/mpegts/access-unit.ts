// Where access units begin, and whether a decoder can start at them: decided at the first unit of the picture, by the
// rules of the codec, by random_access_indicator, and by the parameter sets that the decoder will have.
import type { DecoderHead } from './chunk.js'
import { concat } from './concat.js'
import { PACKET_SIZE, payloadOffset } from './packet.js'
import { ParameterSetStore } from './parameter-set-store.js'
import { readDts, readPts } from './pes.js'
import { ANNOUNCEMENT, EXTENSION, LEADING, OTHER, PICTURE } from './picture-rules.js'
import type { PictureRules } from './picture-rules.js'
import { LONG_PREFIX } from './start-code.js'
import { MAX_UNIT_BYTES } from './unit-scanner.js'
import type { UnitReader } from './unit-scanner.js'

/** Of an offset: nothing, or no longer in the buffer. */
const NONE = -1
const NO_BYTES = new Uint8Array(0)

/** Where something begins. Offsets into the buffer. */
class Place {
  packet = NONE
  /** Where to cut: the packet, or the tables directly before it. */
  boundary = NONE
  /** Byte after the start code where the packet begins with something else; else -1. */
  inside = NONE

  set(packet: number, boundary: number, inside: number): void {
    this.packet = packet
    this.boundary = boundary
    this.inside = inside
  }

  shift(cut: number): void {
    this.packet = Math.max(NONE, this.packet - cut)
    this.boundary = Math.max(0, this.boundary - cut)
    if (this.inside >= 0) this.inside -= cut
  }
}

export class AccessUnits implements UnitReader {
  /** The random access point found last. */
  readonly found = new Place()
  /** What a decoder that starts there lacks. */
  head: DecoderHead | undefined
  /** The PES packets are not those of a stream in which each begins with an access unit and holds no other. */
  isIrregular = false
  readonly #rules: PictureRules
  readonly #pid: number
  readonly #needsSets: boolean
  readonly #sets = new ParameterSetStore()
  /** The packet that is being read, the PES packet, the unit, and the access unit. */
  readonly #here = new Place()
  readonly #pes = new Place()
  readonly #unit = new Place()
  readonly #start = new Place()
  #bytes: Uint8Array = NO_BYTES
  #kind = OTHER
  /** The access unit has shown its picture. */
  #hasPicture = true
  #isAnnounced = false
  #isIndicated = false
  #isFound = false
  /** Times of the access unit, where it begins inside a PES packet. */
  #pts90k = NONE
  #dts90k = NONE
  /** No byte of the PES packet has been seen yet. */
  #isPesOpen = false
  #isPesIndicated = false
  /** Times of the first access unit that begins in the PES packet, where all of it is read; -1 for the others. */
  #pesPts90k = NONE
  #pesDts90k = NONE
  #readsAll = false

  /** `needsSets`: only pictures whose parameter sets have been seen count. */
  constructor(rules: PictureRules, pid: number, needsSets: boolean) {
    this.#rules = rules
    this.#pid = pid
    this.#needsSets = needsSets
  }

  /** Packets from this offset on wait for the decision; -1 if there is nothing to decide. */
  get holdFrom(): number {
    if (!this.#hasPicture && this.#start.packet >= 0) return this.#start.boundary
    return this.#isPesOpen && this.#pes.packet >= 0 ? this.#pes.boundary : NONE
  }

  /** The rest of the PES packet does not matter. */
  get isSatisfied(): boolean {
    return this.#hasPicture && !this.#isPesOpen && !this.#readsAll
  }

  /** The next units are in this packet. */
  at(bytes: Uint8Array, packet: number, boundary: number): void {
    this.#bytes = bytes
    this.#here.set(packet, boundary, NONE)
  }

  /** A PES packet begins here. `readsAll`: all of it will be read, whatever it begins with. */
  beginPes(isIndicated: boolean, readsAll: boolean): void {
    this.#pes.set(this.#here.packet, this.#here.boundary, NONE)
    this.#isPesOpen = true
    this.#isPesIndicated = isIndicated
    this.#isIndicated ||= isIndicated && !this.#hasPicture
    this.#readsAll = readsAll
    if (readsAll) this.#readTimes(this.#here.packet)
  }

  /** The PES packet begins with the rest of a unit. */
  continueUnit(): void {
    if (!this.#isPesOpen) return
    this.#isPesOpen = false
    this.isIrregular = true
  }

  beginUnit(bytes: Uint8Array, header: number, isAligned: boolean): number {
    const kind = this.#rules.kindOf(bytes[header]!)
    this.#kind = kind
    if (!isAligned) this.continueUnit()
    this.#isPesOpen = false
    if (isAligned && this.#pes.packet >= 0) this.#unit.set(this.#pes.packet, this.#pes.boundary, NONE)
    else this.#unit.set(this.#here.packet, this.#here.boundary, header)
    if (kind === OTHER || (kind === EXTENSION && this.#hasPicture)) return 0
    if (kind === PICTURE) return this.#pictureBytes(bytes[header]!)
    if (this.#hasPicture) this.#beginAccessUnit()
    return kind === LEADING ? 0 : MAX_UNIT_BYTES
  }

  readUnit(unit: Uint8Array, length: number): void {
    if (this.#kind === PICTURE) this.#readPicture(unit, length)
    else if (this.#kind === ANNOUNCEMENT) this.#isAnnounced ||= this.#rules.announces(unit, length)
    else if (length < MAX_UNIT_BYTES) this.#sets.put(this.#rules, unit, length)
  }

  /** A scrambled PES packet: only the indicator can be read. True if it is a random access point. */
  beginUnreadable(isIndicated: boolean): boolean {
    this.#isPesOpen = false
    this.#hasPicture = true
    this.#start.packet = NONE
    if (!isIndicated) return false
    this.found.set(this.#here.packet, this.#here.boundary, NONE)
    this.head = undefined
    return true
  }

  /** The rest of the PES packet is scrambled. */
  endUnreadable(): boolean {
    const start = this.#hasPicture ? this.#pes : this.#start
    const isFound =
      (this.#isPesOpen || !this.#hasPicture) && (this.#isIndicated || this.#isPesIndicated) && start.packet >= 0
    if (isFound) this.found.set(start.packet, start.boundary, start.inside)
    this.head = undefined
    this.#hasPicture = true
    this.#isPesOpen = false
    return isFound
  }

  /** True once for each random access point. */
  takeFound(): boolean {
    const isFound = this.#isFound
    this.#isFound = false
    return isFound
  }

  /** Nothing waits any longer: if the picture comes, it is the random access point without what came before. */
  giveUp(): void {
    this.#start.packet = NONE
    this.#pes.packet = NONE
  }

  shift(cut: number): void {
    this.found.shift(cut)
    this.#pes.shift(cut)
    this.#unit.shift(cut)
    this.#start.shift(cut)
  }

  #beginAccessUnit(): void {
    const { packet, boundary, inside } = this.#unit
    this.#start.set(packet, boundary, inside)
    if (inside >= 0) this.isIrregular = true
    this.#hasPicture = false
    this.#isAnnounced = false
    this.#isIndicated = this.#isPesIndicated
    this.#isPesIndicated = false
    this.#pts90k = this.#pesPts90k
    this.#dts90k = this.#pesDts90k
    this.#pesPts90k = NONE
    this.#pesDts90k = NONE
    this.#sets.beginUnit()
  }

  #readPicture(unit: Uint8Array, length: number): void {
    const isFirst = this.#rules.beginsPicture(unit, 0, length)
    if (isFirst && this.#hasPicture) this.#beginAccessUnit()
    // The PES packet begins with another slice of the picture before: the next picture may begin anywhere in it.
    if (!isFirst && this.#unit.inside < 0) this.isIrregular = true
    if (this.#hasPicture) return
    const isFound = isFirst && !this.#isFound && this.#isRandomAccess(unit, length)
    this.#hasPicture = true
    if (isFound) this.#note()
  }

  /** No more than needed: a picture may be a few bytes long, and the next one far away. */
  #pictureBytes(first: number): number {
    const rules = this.#rules
    const isDecided = rules.isKey(first) || (this.#isAnnounced && rules.announcesInter) || !this.#isMarked
    return isDecided ? rules.headBytes : rules.pictureBytes
  }

  #isRandomAccess(unit: Uint8Array, length: number): boolean {
    const rules = this.#rules
    const isEntry =
      rules.isKey(unit[0]!) ||
      (this.#isAnnounced && rules.announcesInter) ||
      (this.#isMarked && rules.isIntra(unit, length))
    return isEntry && (!this.#needsSets || this.#sets.hasAll(rules))
  }

  /** Decoding can start at the access unit if its picture is intra. */
  get #isMarked(): boolean {
    const isIndicated = this.#hasPicture ? this.#isPesIndicated : this.#isIndicated
    return isIndicated || (!this.#hasPicture && (this.#isAnnounced || this.#sets.bringsConfiguration))
  }

  #note(): void {
    const start = this.#start.packet >= 0 ? this.#start : this.#unit
    if (start.packet < 0) return
    // The parameter sets of this access unit have left the buffer.
    if (start === this.#unit) this.#sets.beginUnit()
    this.#isFound = true
    this.found.set(start.packet, start.boundary, start.inside)
    const parts = this.#sets.missing()
    const startsInside = start.inside >= 0
    this.head = undefined
    if (parts.length === 0 && !startsInside) return
    if (!startsInside) {
      this.#readTimes(start.packet)
      this.#pts90k = this.#pesPts90k
      this.#dts90k = this.#pesDts90k
    }
    if (startsInside) parts.push(LONG_PREFIX, this.#bytes.subarray(start.inside, start.packet + PACKET_SIZE))
    this.head = { pid: this.#pid, elementary: concat(parts), startsInside, pts90k: this.#pts90k, dts90k: this.#dts90k }
  }

  #readTimes(packet: number): void {
    const payload = payloadOffset(this.#bytes, packet)
    this.#pesPts90k = readPts(this.#bytes, payload, packet + PACKET_SIZE)
    this.#pesDts90k = readDts(this.#bytes, payload, packet + PACKET_SIZE)
  }
}
