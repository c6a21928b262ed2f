// Hands each new entry of a route to all who read it. A crowd gets it in slices, between which the event loop turns: who
// connects meanwhile is accepted and answered, and does not wait until thousands of others have been written to.
import type { WindowEntry } from './live-window.js'

/** How long a slice takes, about. A connection that waits is accepted between two. */
const SLICE_MS = 2
/** Viewers between two looks at the clock. */
const LOOK_EVERY = 32

/** A viewer, as those see it who have news for it. */
export interface Reader {
  /** There is a new entry, the newest. True if it was written at once. */
  offer(entry: WindowEntry): boolean
}

export interface FanOutHost {
  nowMs(): number
  /** So many bytes were handed over at once, to viewers who had read all before. */
  onSent(bytes: number): void
  /** Everybody has been offered what was the newest entry when the round began. `written`: somebody took it at once. */
  onRound(entry: WindowEntry, written: boolean, wasSliced: boolean): void
}

export class FanOut {
  readonly #host: FanOutHost
  readonly #readers = new Set<Reader>()
  #newest: WindowEntry | undefined
  /** Those who are still to be looked at in the round at hand. Who comes meanwhile is at its end, and has read all. */
  #round: IterableIterator<Reader> | undefined
  #roundEntry: WindowEntry | undefined
  #hasWritten = false
  #wasSliced = false
  /** The byte from which on somebody may still be offered something; undefined between two rounds. */
  #pendingFrom: number | undefined
  /** Where the first entry begins that came after the round had begun. */
  #nextFrom: number | undefined

  constructor(host: FanOutHost) {
    this.#host = host
  }

  get size(): number {
    return this.#readers.size
  }

  /** The byte of the stream from which on a viewer that does not wait for `drain` may not have been served yet. */
  get pendingFrom(): number | undefined {
    return this.#pendingFrom
  }

  add(reader: Reader): void {
    this.#readers.add(reader)
  }

  delete(reader: Reader): void {
    this.#readers.delete(reader)
  }

  /** Begins a round; one that is under way goes on with the new entry, and another one follows for those before. */
  push(entry: WindowEntry): void {
    this.#newest = entry
    if (this.#round !== undefined) {
      this.#nextFrom ??= entry.offset
      return
    }
    this.#begin(entry, entry.offset)
    this.#goOn(true)
  }

  /** Everybody is offered everything now. */
  finish(): void {
    if (this.#round !== undefined) this.#goOn(false)
  }

  #begin(entry: WindowEntry, pendingFrom: number): void {
    this.#round = this.#readers.values()
    this.#roundEntry = entry
    this.#pendingFrom = pendingFrom
    this.#nextFrom = undefined
    this.#hasWritten = false
  }

  #goOn(mayYield: boolean): void {
    const untilMs = this.#host.nowMs() + SLICE_MS
    for (let entry = this.#newest; entry !== undefined && this.#round !== undefined; entry = this.#newest) {
      if (this.#offer(entry, this.#round, mayYield ? untilMs : Infinity)) this.#end()
      else return this.#yield()
    }
  }

  /** False if the time was over before all had been offered the entry. */
  #offer(entry: WindowEntry, round: IterableIterator<Reader>, untilMs: number): boolean {
    let offered = 0
    let written = 0
    let isOver = false
    for (const reader of round) {
      if (reader.offer(entry)) written++
      if (++offered % LOOK_EVERY !== 0 || this.#host.nowMs() < untilMs) continue
      isOver = true
      break
    }
    if (written > 0) {
      this.#hasWritten = true
      this.#host.onSent(written * entry.bytes.length)
    }
    return !isOver
  }

  #end(): void {
    const [entry, from, newest] = [this.#roundEntry, this.#nextFrom, this.#newest]
    this.#round = undefined
    this.#pendingFrom = undefined
    if (entry !== undefined) this.#host.onRound(entry, this.#hasWritten, this.#wasSliced)
    this.#wasSliced = false
    if (from !== undefined && newest !== undefined) this.#begin(newest, from)
  }

  #yield(): void {
    this.#wasSliced = true
    setImmediate(() => {
      if (this.#round !== undefined) this.#goOn(true)
    })
  }
}
