// The single scan of each packet: continuity (TR 101 290 1.4), transport errors, scrambling, unit starts, clocks,
// sections. A packet that merely continues its PID costs one table look-up; all others take the slow path.
import {
  CONTINUITY_ERROR,
  DISCONTINUITY_INDICATOR,
  HAS_PCR,
  PSI,
  SCRAMBLED,
  TRANSPORT_ERROR,
  UNIT_START,
} from './marks.js'
import {
  DISCONTINUITY_FLAG,
  hasPcr,
  hasTransportError,
  NULL_PID,
  PACKET_SIZE,
  payloadOffset,
  PCR_FLAG,
  PID_COUNT,
  readAdaptationFlags,
} from './packet.js'
import type { ProgramTable } from './program-table.js'

/** State of a PID: the counter of its last packet with payload, and these bits. */
const SEEN = 0x10
const DUPLICATED = 0x20
/** The offset of no packet. */
const NONE = -1
/** Bytes 6 to 11 of a packet with a PCR: the only ones in which a duplicate may differ, 2.4.3.3. */
const PCR_START = 6
const PCR_END = 12

export class PacketScanner {
  /** Offset of each PID's last packet in the current buffer, or -1. */
  readonly lastOffset = new Int32Array(PID_COUNT).fill(NONE)
  /** The PIDs for which `lastOffset` is set: the first `seenCount` entries. */
  readonly seen = new Uint16Array(PID_COUNT)
  seenCount = 0
  nullPackets = 0
  #hasDamaged = false
  #hasWhole = false
  readonly #state = new Uint8Array(PID_COUNT)
  readonly #table: ProgramTable
  /** That of the table. */
  readonly #isSectionPid: Uint8Array

  constructor(table: ProgramTable) {
    this.#table = table
    this.#isSectionPid = table.isSectionPid
  }

  /** Packets have come, and each had a transport error. */
  get isAllDamaged(): boolean {
    return this.#hasDamaged && !this.#hasWhole
  }

  /**
   * The flags of marks.ts for the packet at `offset`; 0 for a packet that merely continues its PID, and for a null
   * packet.
   */
  scan(bytes: Uint8Array, offset: number): number {
    const high = bytes[offset + 1]!
    const pid = ((high & 0x1f) << 8) | bytes[offset + 2]!
    const control = bytes[offset + 3]!
    const state = this.#state[pid]!
    // Payload only, not scrambled, no unit start, no error, and the counter continues.
    if ((high & 0xc0) === 0 && (control & 0xf0) === 0x10 && state === (SEEN | ((control - 1) & 0x0f))) {
      this.#state[pid] = SEEN | (control & 0x0f)
      if (this.lastOffset[pid]! < 0) this.seen[this.seenCount++] = pid
      this.lastOffset[pid] = offset
      return this.#isSectionPid[pid] === 1 ? PSI | this.#table.packet(bytes, offset) : 0
    }
    return this.#scanFully(bytes, offset, pid)
  }

  /** Everything before `cut` has left the buffer; the rest has moved to the front. */
  shift(cut: number): void {
    let kept = 0
    for (let at = 0; at < this.seenCount; at++) {
      const pid = this.seen[at]!
      const offset = this.lastOffset[pid]! - cut
      this.lastOffset[pid] = offset >= 0 ? offset : NONE
      if (offset >= 0) this.seen[kept++] = pid
    }
    this.seenCount = kept
  }

  /** The next packet does not continue the stream: every counter is the first one of its PID. */
  reset(): void {
    this.#state.fill(0)
    this.lastOffset.fill(NONE)
    this.seenCount = 0
  }

  #scanFully(bytes: Uint8Array, offset: number, pid: number): number {
    if (hasTransportError(bytes, offset)) {
      this.#hasDamaged = true
      this.#passDamaged(bytes, offset, pid)
      return TRANSPORT_ERROR
    }
    this.#hasWhole = true
    if (pid === NULL_PID) {
      this.nullPackets++
      return 0
    }
    const control = bytes[offset + 3]!
    const adaptation = readAdaptationFlags(bytes, offset)
    let flags = this.#continuity(bytes, offset, pid, control, adaptation)
    if (this.lastOffset[pid]! < 0) this.seen[this.seenCount++] = pid
    this.lastOffset[pid] = offset
    if ((bytes[offset + 1]! & 0x40) !== 0 && (control & 0x10) !== 0) flags |= UNIT_START
    if ((adaptation & PCR_FLAG) !== 0 && hasPcr(bytes, offset)) flags |= HAS_PCR
    if ((adaptation & DISCONTINUITY_FLAG) !== 0) flags |= DISCONTINUITY_INDICATOR
    if ((control & 0xc0) !== 0) return flags | SCRAMBLED
    if (this.#table.isSectionPid[pid] === 1) {
      if ((flags & CONTINUITY_ERROR) !== 0) this.#table.resetPid(pid)
      flags |= PSI
      // A duplicate adds no bytes to its section.
      if ((this.#state[pid]! & DUPLICATED) === 0) flags |= this.#table.packet(bytes, offset)
    }
    return flags
  }

  /**
   * TR 101 290 2.1: nothing in a packet with a transport error can be trusted, including its PID. But if its counter is
   * the next one of its PID, it is the packet that would otherwise be missing: one fault is not counted twice.
   */
  #passDamaged(bytes: Uint8Array, offset: number, pid: number): void {
    const control = bytes[offset + 3]!
    const state = this.#state[pid]!
    if ((control & 0x10) === 0 || (state & SEEN) === 0 || (control & 0x0f) !== ((state + 1) & 0x0f)) return
    this.#state[pid] = SEEN | (control & 0x0f)
    this.#table.resetPid(pid)
  }

  /** The rules of ISO/IEC 13818-1 2.4.3.3: packets without payload do not increment, one exact duplicate is legal. */
  #continuity(bytes: Uint8Array, offset: number, pid: number, control: number, adaptation: number): number {
    const state = this.#state[pid]!
    const counter = control & 0x0f
    if ((control & 0x10) === 0) {
      if ((adaptation & DISCONTINUITY_FLAG) !== 0 || (state & SEEN) === 0) this.#state[pid] = SEEN | counter
      return 0
    }
    const last = state & 0x0f
    if ((state & SEEN) !== 0 && counter === last && this.#isDuplicate(bytes, offset, pid)) {
      this.#state[pid] = SEEN | DUPLICATED | counter
      return (state & DUPLICATED) === 0 ? 0 : CONTINUITY_ERROR
    }
    this.#state[pid] = SEEN | counter
    if ((state & SEEN) === 0 || (adaptation & DISCONTINUITY_FLAG) !== 0) return 0
    return counter === ((last + 1) & 0x0f) ? 0 : CONTINUITY_ERROR
  }

  /**
   * Compares with the PID's previous packet if that is still in the buffer. If it is not, the matching counter decides.
   */
  #isDuplicate(bytes: Uint8Array, offset: number, pid: number): boolean {
    const before = this.lastOffset[pid]!
    if (before < 0) return true
    const clock = hasPcr(bytes, offset)
    for (let at = 1; at < PACKET_SIZE; at++) {
      if (clock && at >= PCR_START && at < PCR_END) continue
      if (bytes[offset + at] !== bytes[before + at]) return false
    }
    return payloadOffset(bytes, offset) < offset + PACKET_SIZE
  }
}
