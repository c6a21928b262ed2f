// Compares the packets of one receiver with those of the reference viewer of its pipeline, as they arrive.
import { PacketSplitter } from './packet-splitter.js'
import { beginsTable } from './reference-packets.js'
import type { ReferencePackets } from './reference-packets.js'

/** In packets, about 4 s: unit starts are much closer together. */
const MAX_UNKNOWN = 3000

export class StreamComparison {
  readonly reference: ReferencePackets
  readonly #splitter: PacketSplitter
  /** Packets not compared yet. */
  readonly #pending: Buffer[] = []
  /** Position of the next packet in the reference stream; undefined until a packet is found there. */
  #position: number | undefined
  #first: number | undefined
  /** Where the reference was when the first packet arrived. */
  #referenceEnd: number | undefined
  #compared = 0
  /** In front of each of these positions of the reference stream, in ascending order, one gap may begin. */
  #gapsBefore: number[] = []
  /** After a gap, each PID is announced as discontinuous in front of its next packet. */
  #announcedBefore = 0
  /** After a gap: the stream may not go on in front of this position. */
  #resumesFrom = 0
  /** What an output inserts where the stream resumes: announcements, then the tables in force, which may be repeated. */
  #isInBridge = false

  constructor(reference: ReferencePackets) {
    this.reference = reference
    this.#splitter = new PacketSplitter(reference.excluded)
  }

  /** Packets found equal to the reference. */
  get compared(): number {
    return this.#compared
  }

  /** Positions in the reference stream of the first packet that was found there, and of the next one. */
  get range(): { readonly first: number; readonly next: number } | undefined {
    const [first, next] = [this.#first, this.#position]
    return first === undefined || next === undefined ? undefined : { first, next }
  }

  /** Everything that has arrived has been compared. */
  get isDone(): boolean {
    return this.#pending.length === 0
  }

  /** The plan of an edit announces a gap: one may begin soon, beside those announced before. */
  allowGap(): void {
    const ahead = this.#gapsBefore.filter((end) => end > (this.#position ?? 0))
    this.#gapsBefore = [...ahead, this.reference.end + MAX_UNKNOWN]
  }

  /** The bytes are copied. */
  push(bytes: Uint8Array): void {
    this.#referenceEnd ??= this.reference.end
    this.#pending.push(...this.#splitter.take(bytes))
  }

  /** What is wrong with what arrived since the last call; undefined if nothing is. */
  fault(): string | undefined {
    const count = this.#findPosition()
    // On a busy machine the reference viewer itself may be late.
    const isReferenceLate = this.reference.end - (this.#referenceEnd ?? 0) <= MAX_UNKNOWN
    if (this.#position === undefined && this.#pending.length > MAX_UNKNOWN && !isReferenceLate)
      return 'no packet that the reference viewer has received'
    const repeated = this.#resumesFrom - (this.#position ?? this.#resumesFrom)
    if (this.#position !== undefined) this.#resumesFrom = 0
    if (repeated > 0) return `${repeated} packets repeated after a gap`
    for (const [index, packet] of this.#pending.slice(0, count).entries()) {
      const expected = this.reference.packetAt(this.#position ?? 0)
      if (expected?.equals(packet) !== true) {
        if (this.#isOfBridge(packet)) continue
        this.#pending.splice(0, index + 1)
        return this.#differs(packet, expected)
      }
      this.#position = (this.#position ?? 0) + 1
      this.#compared++
      this.#isInBridge &&= beginsTable(packet)
    }
    this.#pending.splice(0, count)
    return undefined
  }

  /**
   * Returns how many of the pending packets can be compared now. Packets before the first known position are the
   * receiver's own preamble.
   */
  #findPosition(): number {
    if (this.#position === undefined) {
      const known = this.#pending.findIndex((packet) => this.reference.positionOf(packet) !== undefined)
      if (known < 0) return 0
      this.#pending.splice(0, known)
      this.#position = this.#pending[0] === undefined ? undefined : this.reference.positionOf(this.#pending[0])
      this.#first ??= this.#position
    }
    return Math.max(0, Math.min(this.#pending.length, this.reference.end - (this.#position ?? 0)))
  }

  #isOfBridge(packet: Buffer): boolean {
    const position = this.#position ?? 0
    if (position >= Math.max(this.#announcedBefore, this.#gapsBefore.at(-1) ?? 0)) return false
    if (isAnnouncement(packet)) this.#isInBridge = true
    else if (!beginsTable(packet)) return false
    return this.#isInBridge
  }

  #differs(packet: Buffer, expected: Buffer | undefined): string | undefined {
    const position = this.#position ?? 0
    const unit = this.reference.positionOf(packet)
    // Comparison restarts at the next known packet, so each fault is reported once.
    this.#position = undefined
    this.#isInBridge = false
    if (expected === undefined) return `it is ${this.reference.end - position} packets behind the reference viewer`
    // Packets inside of units may be equal to others: where the stream goes on is known at the next unit.
    this.#gapsBefore = this.#gapsBefore.filter((end) => position < end)
    if (this.#gapsBefore.length > 0 && (unit === undefined || unit > position)) {
      this.#gapsBefore.shift()
      this.#resumesFrom = position
      this.#announcedBefore = this.reference.end + MAX_UNKNOWN
      return undefined
    }
    const real = unit ?? this.reference.find(packet, position)
    if (real === undefined)
      return `after packet ${position} of the reference viewer ${this.#describeForeign(packet, position)}`
    return real > position ? `a gap of ${real - position} packets` : `${position - real} packets repeated`
  }

  /** How many packets the reference viewer never received, and with which of its packets the stream continues. */
  #describeForeign(packet: Buffer, position: number): string {
    const rest = [packet, ...this.#pending]
    const known = rest.findIndex((each) => this.reference.find(each, position) !== undefined)
    const next = rest[known]
    const then = next === undefined ? 'no known packet' : `its packet ${this.reference.find(next, position)}`
    return `there are ${known < 0 ? rest.length : known} unknown packets, ${packet.toString('hex', 0, 8)}..., then ${then}`
  }
}

/** Without payload, with a discontinuity_indicator: ISO/IEC 13818-1, 2.4.3.5. */
function isAnnouncement(packet: Buffer): boolean {
  return ((packet[3] ?? 0) & 0x30) === 0x20 && (packet[4] ?? 0) > 0 && ((packet[5] ?? 0) & 0x80) !== 0
}
