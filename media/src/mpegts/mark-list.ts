// The marks of a chunk that is being collected: one growing array, no object per record.
import { LAST_OF_PID, MARK_FLAGS, MARK_MS, MARK_PID, MARK_SIZE } from './marks.js'
import { PACKET_SIZE, readPid } from './packet.js'
import type { PacketScanner } from './packet-scanner.js'

const FIRST_CAPACITY = 64 * MARK_SIZE

export class MarkList {
  #records = new Int32Array(FIRST_CAPACITY)
  #length = 0
  /** Scratch memory of `take`. */
  #lasts = new Int32Array(FIRST_CAPACITY)
  #lastCount = 0
  #merged = new Int32Array(FIRST_CAPACITY)

  add(offset: number, pid: number, flags: number, ms: number): void {
    if (this.#length === this.#records.length) this.#grow()
    const at = this.#length
    this.#records[at] = offset
    this.#records[at + 1] = pid
    this.#records[at + MARK_FLAGS] = flags
    this.#records[at + MARK_MS] = ms
    this.#length = at + MARK_SIZE
  }

  /** Adds flags to the record with that offset, or adds the record. */
  flag(offset: number, pid: number, flags: number): void {
    let at = this.#length
    while (at > 0 && this.#records[at - MARK_SIZE]! >= offset) at -= MARK_SIZE
    if (at < this.#length && this.#records[at] === offset) {
      this.#records[at + MARK_FLAGS] = this.#records[at + MARK_FLAGS]! | flags
      return
    }
    const ms = at === 0 ? 0 : this.#records[at - MARK_SIZE + MARK_MS]!
    this.add(0, 0, 0, 0)
    this.#records.copyWithin(at + MARK_SIZE, at, this.#length - MARK_SIZE)
    this.#records.set([offset, pid, flags, ms], at)
  }

  /** Milliseconds of the record with that offset; 0 if there is none. */
  msAt(offset: number): number {
    for (let at = this.#length - MARK_SIZE; at >= 0; at -= MARK_SIZE) {
      if (this.#records[at] === offset) return this.#records[at + MARK_MS]!
    }
    return 0
  }

  /**
   * Removes and returns the records before `cut`, with LAST_OF_PID set (adding records where needed), and moves the
   * rest to the front. `ms` is subtracted from the times of the rest.
   */
  take(bytes: Uint8Array, cut: number, ms: number, scanner: PacketScanner): Int32Array {
    this.#findLasts(bytes, cut, scanner)
    let count = 0
    while (count < this.#length && this.#records[count]! < cut) count += MARK_SIZE
    const taken = this.#merge(count, bytes)
    this.#records.copyWithin(0, count, this.#length)
    this.#length -= count
    for (let at = 0; at < this.#length; at += MARK_SIZE) {
      this.#records[at] = this.#records[at]! - cut
      this.#records[at + MARK_MS] = this.#records[at + MARK_MS]! - ms
    }
    return taken
  }

  /** The last packet of each PID before `cut`, in order. */
  #findLasts(bytes: Uint8Array, cut: number, { seen, seenCount, lastOffset }: PacketScanner): void {
    this.#lastCount = 0
    if (this.#lasts.length < seenCount) this.#lasts = new Int32Array(seenCount * 2)
    let missing: Set<number> | undefined
    for (let at = 0; at < seenCount; at++) {
      const pid = seen[at]!
      const offset = lastOffset[pid]!
      if (offset < cut) this.#addLast(offset)
      else (missing ??= new Set()).add(pid)
    }
    // For PIDs that continue after the cut, search backwards for their last packet before it.
    for (let offset = cut - PACKET_SIZE; missing !== undefined && offset >= 0; offset -= PACKET_SIZE) {
      if ((bytes[offset + 1]! & 0x80) === 0 && missing.delete(readPid(bytes, offset))) this.#addLast(offset)
      if (missing.size === 0) break
    }
  }

  /** There are few, and most arrive in order. */
  #addLast(offset: number): void {
    const lasts = this.#lasts
    let at = this.#lastCount++
    for (; at > 0 && lasts[at - 1]! > offset; at--) lasts[at] = lasts[at - 1]!
    lasts[at] = offset
  }

  /** Merges the first `count` numbers of the records with the last packets, in memory of its own. */
  #merge(count: number, bytes: Uint8Array): Int32Array {
    const most = count + this.#lastCount * MARK_SIZE
    if (this.#merged.length < most) this.#merged = new Int32Array(most * 2)
    const [merged, records, lasts] = [this.#merged, this.#records, this.#lasts]
    let length = 0
    let at = 0
    let ms = 0
    for (let next = 0; next < this.#lastCount || at < count; length += MARK_SIZE) {
      const last = next < this.#lastCount ? lasts[next]! : Infinity
      const isRecord = at < count && records[at]! <= last
      const offset = isRecord ? records[at]! : last
      if (isRecord) ms = records[at + MARK_MS]!
      merged[length] = offset
      merged[length + MARK_PID] = isRecord ? records[at + MARK_PID]! : readPid(bytes, offset)
      merged[length + MARK_FLAGS] = (isRecord ? records[at + MARK_FLAGS]! : 0) | (offset === last ? LAST_OF_PID : 0)
      merged[length + MARK_MS] = ms
      if (isRecord) at += MARK_SIZE
      if (offset === last) next++
    }
    return merged.slice(0, length)
  }

  #grow(): void {
    const grown = new Int32Array(this.#records.length * 2)
    grown.set(this.#records)
    this.#records = grown
  }
}
