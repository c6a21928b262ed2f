// The newest entries of a live stream, kept once for all viewers; bounded by duration and size. Entries are identified
// by a sequence number that never restarts, and by the stream offset at which they start, so a reader needs only one
// number.
import type { LiveEntry } from '../plugin/live-route.js'
import { WindowJoin } from './window-join.js'
import { type IsHeld, WindowMemory } from './window-memory.js'

export interface WindowEntry {
  /** From 0, without gaps. */
  readonly seq: number
  /** Total bytes of all entries before it. */
  readonly offset: number
  /** A copy, written to every socket. It stays unchanged while the window or any socket holds it. */
  readonly bytes: Buffer
  readonly receivedAtMs: number
  readonly join: WindowJoin | undefined
}

export interface WindowBounds {
  readonly durationMs: number
  /** Memory, not only the bytes of entries. */
  readonly sizeBytes: number
  /** Entries that some reader has yet to read outlast the duration. By default they do not. */
  readonly keepUnread?: boolean
}

/** What a window has to know of its readers. */
export interface WindowReaders {
  /** Called before memory is reused. */
  readonly isHeld: IsHeld
  /** Called before unread entries are dropped for their age: the lowest stream offset that a reader gets next. */
  unreadFrom(): number
}

/** Number of dropped slots at the front of the list that justifies copying the rest. */
const COMPACT_AT = 1024

export class LiveWindow {
  #bounds: WindowBounds
  readonly #readers: WindowReaders
  readonly #memory: WindowMemory
  /** Dropped slots, undefined, come first. */
  #entries: (WindowEntry | undefined)[] = []
  #dropped = 0
  #first = 0
  #nextOffset = 0
  /** Bytes of joins, with the preambles and bridges that have been made. */
  #joinBytes = 0
  #newestJoin = -1
  /** Sequence numbers of the entries that start with a key frame, oldest first. */
  readonly #keyframes: number[] = []

  constructor(bounds: WindowBounds, readers: WindowReaders) {
    this.#bounds = bounds
    this.#readers = readers
    this.#memory = new WindowMemory(readers.isHeld)
  }

  /** Sequence number of the oldest entry; equal to `next` if the window is empty. */
  get first(): number {
    return this.#first
  }

  /** Sequence number of the next entry. */
  get next(): number {
    return this.#first + this.#entries.length - this.#dropped
  }

  /** Stream offset of the oldest entry. */
  get firstOffset(): number {
    return this.at(this.#first)?.offset ?? this.#nextOffset
  }

  /** Stream offset of the next entry. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Memory of the window: whole blocks, not only the bytes of entries. */
  get retainedBytes(): number {
    return this.#memory.bytes + this.#joinBytes
  }

  /** From the oldest to the newest entry. */
  get durationMs(): number {
    return (this.at(this.next - 1)?.receivedAtMs ?? 0) - (this.at(this.#first)?.receivedAtMs ?? 0)
  }

  at(seq: number): WindowEntry | undefined {
    return seq < this.#first ? undefined : this.#entries[this.#dropped + seq - this.#first]
  }

  /** The entry that starts at this stream offset; undefined if it has been dropped or has not arrived yet. */
  entryFrom(offset: number): WindowEntry | undefined {
    const found = this.entryAt(offset)
    return found?.offset === offset ? found : undefined
  }

  /** The entry that has the byte at this stream offset. */
  entryAt(offset: number): WindowEntry | undefined {
    if (offset < this.firstOffset || offset >= this.#nextOffset) return undefined
    let low = this.#first
    let high = this.next - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.at(middle)!.offset <= offset) low = middle
      else high = middle - 1
    }
    return this.at(low)
  }

  /** The newest entry at which a reader can start. */
  newestStart(keyframe: boolean): WindowEntry | undefined {
    return this.at(keyframe ? (this.#keyframes.at(-1) ?? -1) : this.#newestJoin)
  }

  /**
   * The newest key frame at least `ageMs` older than the newest entry; if there is none, the oldest key frame. Of those
   * that were received since then.
   */
  startBefore(ageMs: number, sinceMs: number): WindowEntry | undefined {
    const wantedMs = (this.at(this.next - 1)?.receivedAtMs ?? 0) - ageMs
    let found: WindowEntry | undefined
    for (let index = this.#keyframes.length - 1; index >= 0; index--) {
      const entry = this.at(this.#keyframes[index] ?? -1)
      if (entry === undefined || entry.receivedAtMs < sinceMs) return found
      found = entry
      if (entry.receivedAtMs <= wantedMs) return found
    }
    return found
  }

  /** Appends a copy of the entry and drops old entries over the bounds; the new entry itself always stays. */
  push(entry: LiveEntry): WindowEntry {
    this.#makeRoom(entry)
    // Idle memory may be as large as the window: any that exceeds the bound is freed before it can be reused.
    this.#memory.limit(this.#bounds.sizeBytes - this.#joinBytes - (entry.join?.heldBytes ?? 0))
    const added = this.#keep(entry)
    this.#entries.push(added)
    this.#nextOffset += added.bytes.length
    this.#joinBytes += added.join?.bytes ?? 0
    if (added.join !== undefined) this.#newestJoin = added.seq
    if (added.join?.keyframe === true) this.#keyframes.push(added.seq)
    this.#dropOlderThan(added.receivedAtMs - this.#bounds.durationMs)
    this.#memory.limit(this.#bounds.sizeBytes - this.#joinBytes)
    return added
  }

  /** Takes effect at the next push. */
  setBounds(bounds: WindowBounds): void {
    this.#bounds = bounds
  }

  /** The bytes in the window now are never overwritten, even if `isHeld` says that nothing holds them. */
  forbidReuse(): void {
    this.#memory.forbidReuse()
  }

  #keep({ bytes, receivedAtMs, join }: LiveEntry): WindowEntry {
    const seq = this.next
    return {
      seq,
      offset: this.#nextOffset,
      bytes: this.#memory.keep(bytes, this.#nextOffset),
      receivedAtMs,
      join: join && new WindowJoin(join, (made) => this.#noteMade(seq, made)),
    }
  }

  /** The bound holds again from the next push on. */
  #noteMade(seq: number, bytes: number): void {
    if (seq >= this.#first) this.#joinBytes += bytes
  }

  /** Called before the entry takes memory, so that it can get the block that is dropped for it. */
  #makeRoom({ bytes, join }: LiveEntry): void {
    const joinBytes = join?.heldBytes ?? 0
    while (this.#first < this.next) {
      const needed = this.#memory.neededFor(bytes.length) + joinBytes
      if (this.#memory.liveBytes + this.#joinBytes + needed <= this.#bounds.sizeBytes) return
      this.#dropOldest()
    }
  }

  /** The newest entry is never that old. */
  #dropOlderThan(atMs: number): void {
    if (this.at(this.#first)!.receivedAtMs >= atMs) return
    const keepFrom = this.#bounds.keepUnread === true ? this.#readers.unreadFrom() : Infinity
    for (let oldest = this.at(this.#first)!; oldest.receivedAtMs < atMs; oldest = this.at(this.#first)!) {
      if (oldest.offset + oldest.bytes.length > keepFrom) return
      this.#dropOldest()
    }
  }

  #dropOldest(): void {
    const oldest = this.at(this.#first)!
    this.#entries[this.#dropped] = undefined
    this.#dropped++
    this.#first++
    this.#joinBytes -= oldest.join?.bytes ?? 0
    if (this.#keyframes[0] === oldest.seq) this.#keyframes.shift()
    if (this.#dropped >= COMPACT_AT && this.#dropped * 2 > this.#entries.length) this.#compact()
    this.#memory.dropBefore(oldest.offset + oldest.bytes.length)
  }

  #compact(): void {
    this.#entries = this.#entries.slice(this.#dropped)
    this.#dropped = 0
  }
}
