// A stream by its clock: what comes in chunks is handed on bit by bit, each part when it is due. No timers: the time is
// an argument.
import { EntryBuilder } from '@millrace/engine/plugin'
import type { AnyChunk, BuiltEntry, Join } from '@millrace/engine/plugin'
import { PcrPacer } from '@millrace/media/mpegts'

/** What takes the stream, in order. */
export interface PacedTaker {
  /** A receiver can start with the bytes that follow. */
  start(join: Join): void
  /** `dueMs`: when the first of the bytes from `from` to `to` was to be sent. They are valid during the call. */
  bytes(bytes: Uint8Array, from: number, to: number, dueMs: number): void
}

/** Packets wait as long as the longest chunk lately has taken to fill, and this long on top. */
const SLACK_MS = 5
/** They wait no longer, whatever the source does: then its bursts are sent as they come. */
const MOST_WAIT_MS = 200
/** Share of the wait that a shorter chunk takes away. */
const FORGET = 1 / 500
/** Larger GOPs are not kept. */
export const MOST_KEPT_BYTES = 8 * 1024 * 1024

interface Kept {
  readonly chunk: AnyChunk
  readonly entries: readonly BuiltEntry[]
}

export class PacedStream {
  readonly #builder = new EntryBuilder(false)
  #pacer = new PcrPacer()
  /** What is in the pacer, and what is sent before it. */
  readonly #queue: BuiltEntry[] = []
  /** The stream since its latest key frame; empty while it is not to be kept. */
  #kept: Kept[] = []
  #keptBytes = 0
  #waitMs = SLACK_MS

  /** How long packets wait. */
  get waitMs(): number {
    return this.#waitMs
  }

  get queuedBytes(): number {
    return this.#pacer.queuedBytes
  }

  /** Media in the queue, in time. */
  queuedMs(nowMs: number): number {
    return this.#pacer.isEmpty ? 0 : Math.max(0, this.#pacer.lastDueMs - nowMs)
  }

  /** `canWait`: the source waits when asked to. `isKept`: for `replay`. */
  push(chunk: AnyChunk, nowMs: number, canWait: boolean, isKept = false): void {
    const filledMs = Math.min(MOST_WAIT_MS, Math.max(0, nowMs - chunk.receivedAtMs) + SLACK_MS)
    this.#waitMs = Math.max(filledMs, this.#waitMs - (this.#waitMs - filledMs) * FORGET)
    const entries = this.#builder.push(chunk)
    if (isKept) this.#keep(chunk, entries)
    this.#plan(chunk, entries, nowMs, canWait)
  }

  /** Follows the stream while nobody takes it. What is in the queue is dropped. */
  skip(chunk: AnyChunk, isKept = false): void {
    const entries = this.#builder.push(chunk)
    if (isKept) this.#keep(chunk, entries)
    this.#clear()
  }

  /** From now on what was kept is sent, by its clock, instead of what is in the queue; then nothing is kept. */
  replay(nowMs: number): void {
    const kept = this.#kept
    this.forget()
    this.#clear()
    for (const { chunk, entries } of kept) this.#plan(chunk, entries, nowMs, true)
  }

  /** Keeps nothing of what has come so far. */
  forget(): void {
    this.#kept = []
    this.#keptBytes = 0
  }

  /** Hands on what is due. */
  take(nowMs: number, taker: PacedTaker): void {
    this.#pacer.take(nowMs, (bytes, from, to, dueMs) => {
      if (from === 0) this.#begin(bytes, dueMs, taker)
      taker.bytes(bytes, from, to, dueMs)
    })
    if (this.#pacer.isEmpty) this.#queue.length = 0
  }

  #clear(): void {
    if (this.#pacer.isEmpty) return
    this.#pacer = new PcrPacer()
    this.#queue.length = 0
  }

  #plan(chunk: AnyChunk, entries: readonly BuiltEntry[], nowMs: number, canWait: boolean): void {
    let { discontinuity } = chunk
    for (const entry of entries) {
      this.#queue.push(entry)
      const { marks } = entry
      if (marks === undefined) continue
      this.#pacer.push({ ...chunk, ...entry, marks, discontinuity }, nowMs, this.#waitMs, canWait)
      discontinuity = false
    }
  }

  #keep(chunk: AnyChunk, entries: readonly BuiltEntry[]): void {
    const at = entries.findIndex(({ join }) => join !== undefined)
    if (at >= 0) this.forget()
    else if (this.#kept.length === 0) return
    const added = entries.slice(Math.max(at, 0))
    this.#kept.push({ chunk, entries: added })
    for (const { bytes } of added) this.#keptBytes += bytes.length
    if (this.#keptBytes > MOST_KEPT_BYTES) this.forget()
  }

  #begin(bytes: Uint8Array, dueMs: number, taker: PacedTaker): void {
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift()) {
      if (entry.marks === undefined) taker.bytes(entry.bytes, 0, entry.bytes.length, dueMs)
      if (entry.bytes !== bytes) continue
      if (entry.join !== undefined) taker.start(entry.join)
      return
    }
  }
}
