// Which packets of a generation repeat what was sent before the reconnect. Each PID goes on with the packet that follows
// the last one sent, also in the middle of a unit, or else with its first later unit.
import { hasPayload, isUnitStart } from './packet.js'
import { readPcrBase } from './pcr.js'
import { dtsAt } from './sent-units.js'
import type { SentUnits } from './sent-units.js'
import { difference33, mod33 } from './timestamps.js'

/** The longest time for which nothing new may come: viewers wait as long. */
const MAX_CATCH_UP_MS = 5000
/** A generation that ends within this (0.5 s) of where the one before ended is a recording that was played again. */
export const MIN_ADVANCE = 45_000
/** Units further behind than this (a minute) belong to a clock of their own. */
const MAX_BEHIND = 5_400_000

export interface RepeatStart {
  /** By how much the generation is shifted: as the one before. */
  readonly offset90k: number
  /** The last PCR that was sent of each PID. */
  readonly pcrs: Map<number, number>
  readonly atMs: number
}

export class RepeatedPackets {
  readonly #sent: SentUnits
  readonly #start: RepeatStart
  readonly #from90k: number
  /** Of the PIDs that are in the unit that was sent last: its packets so far. */
  readonly #seen = new Map<number, number>()
  readonly #passed = new Set<number>()
  #isOver = false
  #isRefuted = false
  #count = 0

  constructor(sent: SentUnits, start: RepeatStart) {
    this.#sent = sent
    this.#start = start
    this.#from90k = sent.last90k
  }

  /** Something new has come. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** It was not a repeat after all, or takes too long. */
  hasFailed(nowMs: number): boolean {
    return !this.#isOver && (this.#isRefuted || nowMs - this.#start.atMs > MAX_CATCH_UP_MS)
  }

  /** The generation ended where the one before had ended. */
  get isRecording(): boolean {
    return this.#isOver && difference33(this.#sent.last90k, this.#from90k) < MIN_ADVANCE
  }

  /** How many packets were repeated since the last call. */
  takeCount(): number {
    const count = this.#count
    this.#count = 0
    return count
  }

  /**
   * The packet was sent before. Called for each packet of a PID that has not gone on yet, in order.
   */
  covers(bytes: Uint8Array, offset: number, pid: number): boolean {
    const isCovered = hasPayload(bytes, offset)
      ? this.#coversPayload(bytes, offset, pid)
      : this.#coversClock(bytes, offset, pid)
    if (isCovered) this.#count++
    return isCovered
  }

  #coversClock(bytes: Uint8Array, offset: number, pid: number): boolean {
    const pcr = readPcrBase(bytes, offset)
    const last = this.#start.pcrs.get(pid)
    if (pcr < 0 || last === undefined) return !this.#isOver
    if (difference33(mod33(pcr + this.#start.offset90k), last) <= 0) return true
    this.#start.pcrs.delete(pid)
    return false
  }

  #coversPayload(bytes: Uint8Array, offset: number, pid: number): boolean {
    const last90k = this.#sent.timeOf(pid)
    // Tables, and what has no times: it goes on with the track that leads.
    if (last90k < 0) return !this.#isOver
    if (this.#passed.has(pid)) return false
    const dts = isUnitStart(bytes, offset) ? dtsAt(bytes, offset) : -1
    if (dts >= 0) {
      const at90k = mod33(dts + this.#start.offset90k)
      const step = difference33(at90k, last90k)
      if (step > 0 || step < -MAX_BEHIND) return this.#pass(pid)
      if (pid === this.#sent.leadPid && !this.#sent.has(at90k, bytes, offset)) this.#isRefuted = true
      if (step === 0) this.#seen.set(pid, 0)
    }
    const before = this.#seen.get(pid)
    if (before === undefined) return true
    const seen = before + 1
    if (seen > this.#sent.packetsOf(pid)) return this.#pass(pid)
    this.#seen.set(pid, seen)
    if (seen === this.#sent.packetsOf(pid) && pid === this.#sent.leadPid) this.#isOver = true
    return true
  }

  #pass(pid: number): false {
    this.#passed.add(pid)
    if (pid === this.#sent.leadPid) this.#isOver = true
    return false
  }
}
