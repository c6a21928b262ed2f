// How much each PID of a stream carries: packets are counted in a slot of their own for every PID that the tables name, and
// become rates once a second.
import { NULL_PID, PACKET_SIZE, PID_COUNT, readPid } from '@millrace/media/mpegts'

/** Slot 0 takes all PIDs without a slot of their own. */
const MAX_SLOTS = 66

export class StreamRates {
  readonly #slots = new Uint8Array(PID_COUNT)
  readonly #packets = new Float64Array(MAX_SLOTS)
  readonly #before = new Float64Array(MAX_SLOTS)
  readonly #kbps = new Float64Array(MAX_SLOTS)
  #measuredMs: number | undefined

  /** PIDs by slot; -1 for a slot that is free. */
  readonly #pids = new Int16Array(MAX_SLOTS).fill(-1)

  constructor() {
    this.#add(NULL_PID)
  }

  /** From now on these PIDs and null packets are counted by themselves, as far as there is room. */
  keep(pids: ReadonlySet<number>): void {
    for (const [slot, pid] of this.#pids.entries()) {
      if (pid >= 0 && pid !== NULL_PID && !pids.has(pid)) this.#free(slot, pid)
    }
    for (const pid of pids) this.#add(pid)
  }

  #free(slot: number, pid: number): void {
    this.#pids[slot] = -1
    this.#slots[pid] = 0
    this.#packets[slot] = this.#before[slot] = this.#kbps[slot] = 0
  }

  #add(pid: number): void {
    if (this.#slots[pid] !== 0) return
    const slot = this.#pids.indexOf(-1, 1)
    if (slot < 0) return
    this.#pids[slot] = pid
    this.#slots[pid] = slot
  }

  /** `bytes`: whole packets. */
  push(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length; offset += PACKET_SIZE) {
      this.#packets[this.#slots[readPid(bytes, offset)]!]!++
    }
  }

  /** What came since the call before becomes the rate. */
  measure(nowMs: number): void {
    const elapsedMs = nowMs - (this.#measuredMs ?? nowMs)
    this.#measuredMs = nowMs
    for (let slot = 0; slot < MAX_SLOTS; slot++) {
      const packets = this.#packets[slot]!
      if (elapsedMs > 0) this.#kbps[slot] = ((packets - this.#before[slot]!) * PACKET_SIZE * 8) / elapsedMs
      this.#before[slot] = packets
    }
  }

  /** Kilobits per second, whole packets; 0 for a PID without a slot of its own. */
  kbps(pid: number): number {
    const slot = this.#slots[pid] ?? 0
    return slot === 0 ? 0 : Math.round(this.#kbps[slot]!)
  }
}
