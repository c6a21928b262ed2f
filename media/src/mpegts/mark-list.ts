// The marks of a chunk while it is being collected: one growing array, no object per record.
import { LAST_OF_PID, MARK_FLAGS, MARK_MS, MARK_OFFSET, MARK_SIZE } from './marks.js'
import { PACKET_SIZE, readPid } from './packet.js'
import type { PacketScanner } from './packet-scanner.js'

const FIRST_CAPACITY = 64 * MARK_SIZE

export class MarkList {
  #records = new Int32Array(FIRST_CAPACITY)
  #length = 0

  add(offset: number, pid: number, flags: number, ms: number): void {
    if (this.#length === this.#records.length) this.#grow()
    const at = this.#length
    this.#records[at] = offset
    this.#records[at + 1] = pid
    this.#records[at + MARK_FLAGS] = flags
    this.#records[at + MARK_MS] = ms
    this.#length = at + MARK_SIZE
  }

  /** Adds flags to the newest record of that offset. */
  flag(offset: number, flags: number): void {
    for (let at = this.#length - MARK_SIZE; at >= 0; at -= MARK_SIZE) {
      if (this.#records[at] !== offset) continue
      this.#records[at + MARK_FLAGS] = this.#records[at + MARK_FLAGS]! | flags
      return
    }
  }

  /** Milliseconds of the record at that offset; 0 if there is none. */
  msAt(offset: number): number {
    for (let at = this.#length - MARK_SIZE; at >= 0; at -= MARK_SIZE) {
      if (this.#records[at] === offset) return this.#records[at + MARK_MS]!
    }
    return 0
  }

  /**
   * Takes the records before `cut` out, with LAST_OF_PID set (and records added where there were none), and moves the
   * rest to the front. `ms` is subtracted from the times of the rest.
   */
  take(bytes: Uint8Array, cut: number, ms: number, scanner: PacketScanner): Int32Array {
    const lasts = lastOffsets(bytes, cut, scanner)
    let count = 0
    while (count < this.#length && this.#records[count]! < cut) count += MARK_SIZE
    const taken = merge(this.#records, count, lasts, bytes)
    this.#records.copyWithin(0, count, this.#length)
    this.#length -= count
    for (let at = 0; at < this.#length; at += MARK_SIZE) {
      this.#records[at] = this.#records[at]! - cut
      this.#records[at + MARK_MS] = this.#records[at + MARK_MS]! - ms
    }
    return taken
  }

  #grow(): void {
    const grown = new Int32Array(this.#records.length * 2)
    grown.set(this.#records)
    this.#records = grown
  }
}

/** Sorted offsets of the last packet of each PID before `cut`. */
function lastOffsets(bytes: Uint8Array, cut: number, scanner: PacketScanner): Int32Array {
  const offsets = new Int32Array(scanner.seenCount)
  const missing = new Set<number>()
  let count = 0
  for (let at = 0; at < scanner.seenCount; at++) {
    const pid = scanner.seen[at]!
    const offset = scanner.lastOffset[pid]!
    if (offset < cut) offsets[count++] = offset
    else missing.add(pid)
  }
  // PIDs that go on behind the cut: their last packet before it is looked for, backwards.
  for (let offset = cut - PACKET_SIZE; offset >= 0 && missing.size > 0; offset -= PACKET_SIZE) {
    if ((bytes[offset + 1]! & 0x80) === 0 && missing.delete(readPid(bytes, offset))) offsets[count++] = offset
  }
  return offsets.subarray(0, count).sort()
}

function merge(records: Int32Array, count: number, lasts: Int32Array, bytes: Uint8Array): Int32Array {
  const merged = new Int32Array(count + lasts.length * MARK_SIZE)
  let length = 0
  let next = 0
  let ms = 0
  const addLast = (offset: number): void => {
    merged[length] = offset
    merged[length + 1] = readPid(bytes, offset)
    merged[length + MARK_FLAGS] = LAST_OF_PID
    merged[length + MARK_MS] = ms
    length += MARK_SIZE
  }
  for (let at = 0; at < count; at += MARK_SIZE) {
    const offset = records[at + MARK_OFFSET]!
    while (next < lasts.length && lasts[next]! < offset) addLast(lasts[next++]!)
    for (let field = 0; field < MARK_SIZE; field++) merged[length + field] = records[at + field]!
    ms = records[at + MARK_MS]!
    if (next < lasts.length && lasts[next] === offset) {
      merged[length + MARK_FLAGS] = merged[length + MARK_FLAGS]! | LAST_OF_PID
      next++
    }
    length += MARK_SIZE
  }
  while (next < lasts.length) addLast(lasts[next++]!)
  return length === merged.length ? merged : merged.slice(0, length)
}
