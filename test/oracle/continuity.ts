// Continuity counters by ISO/IEC 13818-1 clause 2.4.3.3 and TR 101 290 1.4, as strict as ffmpeg: packets without
// payload repeat the counter, one exact duplicate is legal, discontinuity_indicator allows any counter, null packets
// are exempt.
import type { TsPacket } from './ts-packet.js'

const NULL_PID = 0x1fff

interface PidState {
  counter: number
  /** The last packet with payload, copied. */
  last: Uint8Array | undefined
  copies: number
}

export class Continuity {
  readonly errorsByPid: Record<number, number> = {}
  errors = 0
  duplicates = 0
  readonly #pids = new Map<number, PidState>()

  /** Returns true if the packet is new: false for a legal or illegal repetition of the previous one. */
  take(packet: TsPacket): boolean {
    if (packet.pid === NULL_PID) return true
    const state = this.#pids.get(packet.pid)
    if (state === undefined || packet.discontinuity) {
      this.#keep(packet)
      return true
    }
    const expected = packet.hasPayload ? (state.counter + 1) % 16 : state.counter
    if (packet.counter === expected) {
      this.#keep(packet)
      return true
    }
    if (packet.hasPayload && state.last !== undefined && isCopy(packet, state.last)) {
      this.duplicates++
      state.copies++
      if (state.copies > 1) this.#error(packet.pid)
      return false
    }
    this.#error(packet.pid)
    this.#keep(packet)
    return true
  }

  #keep(packet: TsPacket): void {
    const last = packet.hasPayload ? packet.bytes.slice() : undefined
    this.#pids.set(packet.pid, { counter: packet.counter, last, copies: 0 })
  }

  #error(pid: number): void {
    this.errors++
    this.errorsByPid[pid] = (this.errorsByPid[pid] ?? 0) + 1
  }
}

/** All bytes are equal except for a PCR, which must be right for its own position. */
function isCopy(packet: TsPacket, last: Uint8Array): boolean {
  return packet.bytes.every((byte, at) => byte === last[at] || (packet.pcr27m !== undefined && at >= 6 && at < 12))
}
