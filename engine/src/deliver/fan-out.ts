// Hands each new entry of a route to all who have read everything before it. A crowd gets it in slices, between which the
// event loop turns: who connects meanwhile is accepted and answered, and does not wait until thousands have been written
// to. For each write as little memory as can be is looked at, since the kernel copies megabytes between two: where
// everybody is stands in one list here, and a reader itself is touched only when something is the matter.
import type { WindowEntry } from './live-window.js'

/** How long a slice takes, about. A connection that waits is accepted between two. */
export const SLICE_MS = 8
/** Readers between two looks at the clock. */
const CLOCK_EVERY = 32
const NOWHERE = -1

export interface Reader {
  /** Its place in the lists of the fan-out, which alone sets it; -1 at first, and while it is not there. */
  slot: number
  readonly socket: { write(bytes: Uint8Array): boolean }
  /** There is a new entry, and it has not read all before. */
  resume(): void
  /** It was written to, and its socket wants a pause. */
  onFull(): void
}

export interface FanOutHost {
  nowMs(): number
  /** So many bytes were handed over at once, to readers who had read all before. */
  onSent(bytes: number): void
  /** Everybody has been offered what was the newest entry when the round began. `written`: somebody took it at once. */
  onRound(entry: WindowEntry, written: boolean, wasSliced: boolean): void
}

export class FanOut {
  readonly #host: FanOutHost
  readonly #readers: Reader[] = []
  readonly #sockets: Reader['socket'][] = []
  /** The byte of the stream that each gets next. */
  readonly #offsets: number[] = []
  /** Those before it have been looked at in the round at hand. Who comes meanwhile is at the end. */
  #at = 0
  #newest: WindowEntry | undefined
  /** With which the round at hand began; undefined between two rounds. */
  #roundEntry: WindowEntry | undefined
  #hasWritten = false
  #wasSliced = false
  #pendingFrom: number | undefined
  /** Where the first entry begins that came after the round had begun. */
  #nextFrom: number | undefined

  constructor(host: FanOutHost) {
    this.#host = host
  }

  /** The byte of the stream from which on a reader may not have been served yet; undefined between two rounds. */
  get pendingFrom(): number | undefined {
    return this.#pendingFrom
  }

  /** A reader that is here: the byte of the stream that it gets next. */
  offsetOf({ slot }: Reader): number {
    return this.#offsets[slot]!
  }

  /** From now on the reader is told of each new entry; it gets the byte at `offset` next. It must not be here yet. */
  add(reader: Reader, offset: number): void {
    reader.slot = this.#readers.push(reader) - 1
    this.#sockets.push(reader.socket)
    this.#offsets.push(offset)
  }

  /** Nothing happens to one that is not here. */
  delete(reader: Reader): void {
    let hole = reader.slot
    if (hole === NOWHERE) return
    reader.slot = NOWHERE
    // Who has been looked at stays before #at, and who has not behind it.
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

  /** Begins a round; one that is under way goes on with the new entry, and another one follows for those before. */
  push(entry: WindowEntry): void {
    this.#newest = entry
    if (this.#roundEntry !== undefined) {
      this.#nextFrom ??= entry.offset
      return
    }
    this.#begin(entry, entry.offset)
    this.#continue(true)
  }

  /** Everybody is offered everything now. */
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

  /** False if the time was over before all had been offered the entry. */
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
