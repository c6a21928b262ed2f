// Checks every packet that a reader receives: sync byte, continuity counter, and the timestamps of the live feed.

const PACKET_SIZE = 188
const NULL_PID = 0x1fff
/** Private PID: packets whose first 8 payload bytes are the monotonic sending time in nanoseconds. */
export const STAMP_PID = 0x1ffe

export class PacketChecker {
  counterErrors = 0
  syncErrors = 0
  /** Age of each timestamp when it was read. */
  readonly latenciesMs: number[] = []
  readonly #counters = new Int8Array(NULL_PID + 1).fill(-1)
  #rest: Buffer = Buffer.alloc(0)

  push(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    for (; at + PACKET_SIZE <= all.length; at += PACKET_SIZE) this.#check(all, at)
    this.#rest = all.subarray(at)
  }

  #check(bytes: Buffer, at: number): void {
    if (bytes[at] !== 0x47) {
      this.syncErrors++
      return
    }
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff
    if (pid === STAMP_PID) {
      this.latenciesMs.push(Number(process.hrtime.bigint() - bytes.readBigUInt64BE(at + 4)) / 1e6)
      return
    }
    if (pid === NULL_PID) return
    const control = bytes[at + 3]!
    const isMarked = (control & 0x20) !== 0 && bytes[at + 4]! > 0 && (bytes[at + 5]! & 0x80) !== 0
    const last = this.#counters[pid]!
    const expected = (control & 0x10) === 0 ? last : (last + 1) & 15
    if (last >= 0 && !isMarked && (control & 15) !== expected) this.counterErrors++
    this.#counters[pid] = control & 15
  }
}
