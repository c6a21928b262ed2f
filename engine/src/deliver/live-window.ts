// The newest entries of a live stream, kept once for all viewers: bounded by duration and by size. Entries are known by
// a number that counts them for ever, and by the byte at which they start, so that a reader is one number.
import type { LiveEntry } from './live-route.js'

export interface WindowEntry {
  /** From 0, without gaps. */
  readonly seq: number
  /** Bytes of all entries before it. */
  readonly offset: number
  /** The bytes of the entry; made once, written to every socket. Never changed: a blocked socket may hold it long. */
  readonly bytes: Buffer
  readonly receivedAtMs: number
  readonly join: WindowJoin | undefined
  /** Memory that the entry keeps alive. */
  readonly retainedBytes: number
}

export interface WindowJoin {
  readonly keyframe: boolean
  readonly preamble: Buffer
  readonly bridge: Buffer
}

export interface WindowBounds {
  readonly durationMs: number
  readonly sizeBytes: number
}

/** Dropped places in front of the list that are worth a copy of the rest. */
const COMPACT_AT = 1024

export class LiveWindow {
  #bounds: WindowBounds
  /** Dropped places, undefined, come first. */
  #entries: (WindowEntry | undefined)[] = []
  #dropped = 0
  #first = 0
  #nextOffset = 0
  #retainedBytes = 0
  #newestJoin = -1
  /** Numbers of the entries that start with a key frame, oldest first. */
  readonly #keyframes: number[] = []

  constructor(bounds: WindowBounds) {
    this.#bounds = bounds
  }

  /** Number of the oldest entry; equal to `next` when empty. */
  get first(): number {
    return this.#first
  }

  /** Number that the next entry will have. */
  get next(): number {
    return this.#first + this.#entries.length - this.#dropped
  }

  /** The byte at which the oldest entry starts. */
  get firstOffset(): number {
    return this.at(this.#first)?.offset ?? this.#nextOffset
  }

  /** The byte at which the next entry will start. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Memory that the window keeps alive: whole buffers, not only the bytes of entries. */
  get retainedBytes(): number {
    return this.#retainedBytes
  }

  /** From the oldest to the newest entry. */
  get durationMs(): number {
    return (this.at(this.next - 1)?.receivedAtMs ?? 0) - (this.at(this.#first)?.receivedAtMs ?? 0)
  }

  at(seq: number): WindowEntry | undefined {
    return seq < this.#first ? undefined : this.#entries[this.#dropped + seq - this.#first]
  }

  /** The entry that starts at this byte; undefined if it has been dropped or has not come yet. */
  entryFrom(offset: number): WindowEntry | undefined {
    let low = this.#first
    let high = this.next
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.at(middle)?.offset ?? 0) < offset) low = middle + 1
      else high = middle
    }
    const found = this.at(low)
    return found?.offset === offset ? found : undefined
  }

  /** The newest entry at which a reader can start. */
  newestStart(keyframe: boolean): WindowEntry | undefined {
    return this.at(keyframe ? (this.#keyframes.at(-1) ?? -1) : this.#newestJoin)
  }

  /** The newest key frame that is at least so much older than the newest entry; where there is none, the oldest one. */
  startBefore(ageMs: number): WindowEntry | undefined {
    const wantedMs = (this.at(this.next - 1)?.receivedAtMs ?? 0) - ageMs
    for (let index = this.#keyframes.length - 1; index > 0; index--) {
      const entry = this.at(this.#keyframes[index] ?? -1)
      if (entry !== undefined && entry.receivedAtMs <= wantedMs) return entry
    }
    return this.at(this.#keyframes[0] ?? -1)
  }

  /** Appends, then drops from the front what is over the bounds; the new entry itself always stays. */
  push(entry: LiveEntry): WindowEntry {
    const added = this.#keep(entry)
    this.#entries.push(added)
    this.#nextOffset += added.bytes.length
    this.#retainedBytes += added.retainedBytes
    if (added.join !== undefined) this.#newestJoin = added.seq
    if (added.join?.keyframe === true) this.#keyframes.push(added.seq)
    this.#trim(added)
    return added
  }

  /** Takes effect at the next push. */
  setBounds(bounds: WindowBounds): void {
    this.#bounds = bounds
  }

  #keep(entry: LiveEntry): WindowEntry {
    const join = entry.join && {
      keyframe: entry.join.keyframe,
      preamble: viewOf(entry.join.preamble),
      bridge: viewOf(entry.join.bridge),
    }
    const bytes = viewOf(entry.bytes)
    const joinBytes = join === undefined ? 0 : join.preamble.length + join.bridge.length
    const retainedBytes = bytes.buffer.byteLength + joinBytes
    return { seq: this.next, offset: this.#nextOffset, bytes, receivedAtMs: entry.receivedAtMs, join, retainedBytes }
  }

  #trim(newest: WindowEntry): void {
    for (let oldest = this.at(this.#first); oldest !== undefined; oldest = this.at(this.#first)) {
      const isLong = newest.receivedAtMs - oldest.receivedAtMs > this.#bounds.durationMs
      const isLarge = this.#retainedBytes > this.#bounds.sizeBytes
      if (oldest === newest || !(isLong || isLarge)) return
      this.#entries[this.#dropped] = undefined
      this.#dropped++
      this.#first++
      this.#retainedBytes -= oldest.retainedBytes
      if (this.#keyframes[0] === oldest.seq) this.#keyframes.shift()
      if (this.#dropped >= COMPACT_AT && this.#dropped * 2 > this.#entries.length) this.#compact()
    }
  }

  #compact(): void {
    this.#entries = this.#entries.slice(this.#dropped)
    this.#dropped = 0
  }
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
