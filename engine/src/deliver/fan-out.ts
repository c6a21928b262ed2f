// Writes each new entry of a route to all readers that have read everything before it. Many readers are served in
// slices, and the event loop turns between slices: new connections are accepted and answered meanwhile, instead of
// waiting for thousands of writes. Each write touches as little memory as possible, since the kernel copies megabytes
// between two writes: the positions of all readers are in one list here, and a reader object is touched only in
// exceptional cases.
import type { WindowEntry } from './live-window.js'

/** Approximate duration of a slice. Waiting connections are accepted between slices. */
export const SLICE_MS = 8
/** The clock is read once per this many readers. */
const CLOCK_EVERY = 32
const NOT_LISTED = -1

export interface Reader {
  /** Its index in the lists of the fan-out, set only by the fan-out; -1 initially and while it is not in them. */
  slot: number
  readonly socket: { write(bytes: Uint8Array): boolean }
  /** Called when there is a new entry and the reader has not read everything before it. */
  resume(): void
  /** Called after a write that filled its socket. */
  onFull(): void
}

export interface FanOutHost {
  nowMs(): number
  /** `bytes` were written in one go, to readers that had read everything before. */
  onSent(bytes: number): void
  /**
   * All readers have been offered `entry`, the newest when the round began. `written`: at least one took it at once.
   */
  onRound(entry: WindowEntry, written: boolean, wasSliced: boolean): void
}

export class FanOut {
  readonly #host: FanOutHost
  readonly #readers: Reader[] = []
  readonly #sockets: Reader['socket'][] = []
  /** The stream offset that each reader gets next. */
  readonly #offsets: number[] = []
  /** Readers before this index have been visited in the current round. New readers are appended. */
  #at = 0
  #newest: WindowEntry | undefined
  /** The newest entry when the current round began; undefined between rounds. */
  #roundEntry: WindowEntry | undefined
  #hasWritten = false
  #wasSliced = false
  #pendingFrom: number | undefined
  /** Offset of the first entry that arrived after the current round began. */
  #nextFrom: number | undefined

  constructor(host: FanOutHost) {
    this.#host = host
  }

  /** The stream offset from which readers may not have been served yet; undefined between rounds. */
  get pendingFrom(): number | undefined {
    return this.#pendingFrom
  }

  /** The stream offset that the reader gets next. The reader must be here. */
  offsetOf({ slot }: Reader): number {
    return this.#offsets[slot]!
  }

  /** From now on the reader gets each new entry, starting at stream offset `offset`. It must not be here yet. */
  add(reader: Reader, offset: number): void {
    reader.slot = this.#readers.push(reader) - 1
    this.#sockets.push(reader.socket)
    this.#offsets.push(offset)
  }

  /** Does nothing if the reader is not here. */
  delete(reader: Reader): void {
    let hole = reader.slot
    if (hole === NOT_LISTED) return
    reader.slot = NOT_LISTED
    // Visited readers stay before #at, the others after it.
    if (hole < this.#at) {
      this.#at--
      this.#move(this.#at, hole)
      hole = this.#at
    }
    this.#move(this.#readers.length - 1, hole)
    this.#readers.pop()
    this.#sockets.pop()
    this.#offsets.pop()
  }

  /**
   * Starts a round. A round in progress continues with the new entry, and another follows for readers already visited.
   */
  push(entry: WindowEntry): void {
    this.#newest = entry
    if (this.#roundEntry !== undefined) {
      this.#nextFrom ??= entry.offset
      return
    }
    this.#begin(entry, entry.offset)
    this.#continue(true)
  }

  /** Offers everything to all readers now. */
  finish(): void {
    if (this.#roundEntry !== undefined) this.#continue(false)
  }

  #move(from: number, to: number): void {
    if (from === to) return
    const reader = this.#readers[from]!
    reader.slot = to
    this.#readers[to] = reader
    this.#sockets[to] = this.#sockets[from]!
    this.#offsets[to] = this.#offsets[from]!
  }

  #begin(entry: WindowEntry, pendingFrom: number): void {
    this.#at = 0
    this.#roundEntry = entry
    this.#pendingFrom = pendingFrom
    this.#nextFrom = undefined
    this.#hasWritten = false
  }

  #continue(mayYield: boolean): void {
    const untilMs = mayYield ? this.#host.nowMs() + SLICE_MS : Infinity
    for (let entry = this.#newest; entry !== undefined && this.#roundEntry !== undefined; entry = this.#newest) {
      if (this.#offer(entry, untilMs)) this.#end(this.#roundEntry)
      else return this.#yield()
    }
  }

  /** False if the time was up before all readers had been offered the entry. */
  #offer({ bytes, offset }: WindowEntry, untilMs: number): boolean {
    const offsets = this.#offsets
    const nextOffset = offset + bytes.length
    let offered = 0
    let written = 0
    while (this.#at < offsets.length) {
      if (offered === CLOCK_EVERY) {
        offered = 0
        if (this.#host.nowMs() >= untilMs) break
      }
      offered++
      const slot = this.#at++
      const wanted = offsets[slot]!
      if (wanted === offset) {
        written++
        offsets[slot] = nextOffset
        if (!this.#sockets[slot]!.write(bytes)) this.#readers[slot]!.onFull()
      } else if (wanted < offset) this.#readers[slot]!.resume()
    }
    if (written > 0) {
      this.#hasWritten = true
      this.#host.onSent(written * bytes.length)
    }
    return this.#at >= offsets.length
  }

  #end(entry: WindowEntry): void {
    const [from, newest] = [this.#nextFrom, this.#newest]
    this.#roundEntry = undefined
    this.#pendingFrom = undefined
    this.#at = 0
    this.#host.onRound(entry, this.#hasWritten, this.#wasSliced)
    this.#wasSliced = false
    if (from !== undefined && newest !== undefined) this.#begin(newest, from)
  }

  #yield(): void {
    this.#wasSliced = true
    setImmediate(() => {
      if (this.#roundEntry !== undefined) this.#continue(true)
    })
  }
}
