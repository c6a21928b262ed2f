// What a timeline has sent last: the units of the track that leads, by their times and the beginning of their bytes, and
// how far each PID has come. By these a source that sends again, after a reconnect, what it has sent before is recognized.
import type { TsChunk } from './chunk.js'
import { FNV_BASIS, hashBytes } from './fnv1a.js'
import { MARK_FLAGS, MARK_OFFSET, MARK_PID, MARK_SIZE, SCRAMBLED, UNIT_START } from './marks.js'
import { PACKET_SIZE, payloadOffset, PID_COUNT } from './packet.js'
import { pesHeaderEnd, readDts } from './pes.js'
import { difference33, mod33 } from './timestamps.js'

/** How far back units are remembered (30 s), and how many. */
const MAX_SPAN = 2_700_000
const MAX_UNITS = 1024
/** How many PIDs are followed; damaged streams may have any number. */
const MAX_PIDS = 256
/** As many units in a row tell a repeat from another stream whose first picture looks the same. */
const CERTAIN_UNITS = 3

/** Whether units were sent before: too few of them have been seen to be sure, or enough. */
export type Recognition = 'none' | 'some' | 'enough'

export class SentUnits {
  /** By DTS on the timeline, in order. */
  readonly #hashes = new Map<number, number>()
  /** By PID: DTS of the last unit. */
  readonly #times = new Map<number, number>()
  /** By PID: packets since. */
  readonly #packets = new Uint16Array(PID_COUNT)
  #leadPid = -1
  #first90k = -1
  #last90k = 0
  #overlap90k = 0

  get leadPid(): number {
    return this.#leadPid
  }

  /** DTS of the last unit of the track that leads. */
  get last90k(): number {
    return this.#last90k
  }

  /** From the first unit since `clear` to the last. */
  get span90k(): number {
    return this.#first90k < 0 ? 0 : difference33(this.#last90k, this.#first90k)
  }

  /** From the first unit that was recognized to the last that was sent. */
  get overlap90k(): number {
    return this.#overlap90k
  }

  /** DTS of the last unit of a PID that has one, on the timeline; -1 if none was sent. */
  timeOf(pid: number): number {
    return this.#times.get(pid) ?? -1
  }

  /** How many packets with payload of this PID were sent since that unit began. */
  packetsOf(pid: number): number {
    return this.#packets[pid]!
  }

  /** The unit that begins in this packet was sent. `at90k`: its DTS on the timeline. */
  has(at90k: number, bytes: Uint8Array, offset: number): boolean {
    return this.#hashes.get(at90k) === hashPayload(bytes, offset)
  }

  /** The stream does not go on by the same clock. */
  clear(): void {
    this.#hashes.clear()
    this.#times.clear()
    this.#first90k = -1
  }

  /** Takes a chunk as it is sent. `isSectionPid`: 1 for PIDs that carry no PES. */
  follow({ bytes, marks, lead }: TsChunk, isSectionPid: Uint8Array): void {
    if (lead !== undefined && lead.pid !== this.#leadPid) {
      this.#leadPid = lead.pid
      this.#hashes.clear()
    }
    let from = 0
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if ((marks[at + MARK_FLAGS]! & UNIT_START) === 0 || isSectionPid[marks[at + MARK_PID]!] === 1) continue
      const offset = marks[at + MARK_OFFSET]!
      countPackets(bytes, from, offset, this.#packets)
      this.#begin(bytes, offset, marks[at + MARK_PID]!)
      from = offset
    }
    countPackets(bytes, from, bytes.length, this.#packets)
  }

  /** Whether the first units of a new generation were sent before. `offset90k`: by how much it is shifted. */
  recognize(chunks: readonly TsChunk[], offset90k: number): Recognition {
    let found = 0
    for (const { marks, bytes } of chunks) {
      for (let at = 0; at < marks.length; at += MARK_SIZE) {
        const isUnit = (marks[at + MARK_FLAGS]! & (UNIT_START | SCRAMBLED)) === UNIT_START
        if (!isUnit || marks[at + MARK_PID] !== this.#leadPid) continue
        const offset = marks[at + MARK_OFFSET]!
        const dts = dtsAt(bytes, offset)
        if (dts < 0) continue
        const at90k = mod33(dts + offset90k)
        if (difference33(at90k, this.#last90k) > 0) return found > 0 ? 'enough' : 'none'
        if (!this.has(at90k, bytes, offset)) return 'none'
        if (found === 0) this.#overlap90k = difference33(this.#last90k, at90k)
        if (++found >= CERTAIN_UNITS) return 'enough'
      }
    }
    return found > 0 ? 'some' : 'none'
  }

  #begin(bytes: Uint8Array, offset: number, pid: number): void {
    const dts = dtsAt(bytes, offset)
    if (dts < 0) return
    if (this.#times.size >= MAX_PIDS && !this.#times.has(pid)) return
    this.#times.set(pid, dts)
    this.#packets[pid] = 0
    if (pid !== this.#leadPid) return
    this.#hashes.set(dts, hashPayload(bytes, offset))
    this.#last90k = dts
    if (this.#first90k < 0) this.#first90k = dts
    for (const oldest of this.#hashes.keys()) {
      if (this.#hashes.size <= MAX_UNITS && difference33(dts, oldest) <= MAX_SPAN) break
      this.#hashes.delete(oldest)
    }
  }
}

/** Adds the packets with payload to the numbers of their PIDs. No calls: this is the only loop over all packets here. */
function countPackets(bytes: Uint8Array, from: number, end: number, packets: Uint16Array): void {
  for (let offset = from; offset < end; offset += PACKET_SIZE) {
    if ((bytes[offset + 3]! & 0x10) === 0) continue
    const pid = ((bytes[offset + 1]! & 0x1f) << 8) | bytes[offset + 2]!
    packets[pid] = packets[pid]! + 1
  }
}

/** DTS of the unit that begins in this packet, as it is written; -1 without. */
export function dtsAt(bytes: Uint8Array, offset: number): number {
  return readDts(bytes, payloadOffset(bytes, offset), offset + PACKET_SIZE)
}

/** Of the elementary stream in the first packet of a unit: the times in front of it differ by the offset. */
function hashPayload(bytes: Uint8Array, offset: number): number {
  const end = offset + PACKET_SIZE
  return hashBytes(FNV_BASIS, bytes, pesHeaderEnd(bytes, payloadOffset(bytes, offset), end), end)
}
