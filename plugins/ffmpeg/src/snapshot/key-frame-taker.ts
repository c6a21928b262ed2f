// Takes key frames out of a stream, each as a small transport stream of its own: PAT and PMT, parameter sets that the stream
// does not repeat, and the packets of the one access unit. Keeps the newest.
import { EntryBuilder } from '@millrace/engine/plugin'
import type { AnyChunk, BuiltEntry } from '@millrace/engine/plugin'
import { countFields } from '@millrace/media/formats'
import {
  hasPayload,
  hasTransportError,
  isUnitStart,
  MARK_FLAGS,
  MARK_OFFSET,
  MARK_PID,
  MARK_SIZE,
  PACKET_SIZE,
  payloadOffset,
  pesHeaderEnd,
  readCounter,
  readPid,
  SCRAMBLED,
  UNIT_START,
} from '@millrace/media/mpegts'

/** A key frame of 8K television at 800 Mb/s has 8 MiB. */
const MOST_BYTES = 8 * 1024 * 1024
/** So many damaged key frames in a row are left out: some streams count their packets wrongly all the time. */
const MOST_LEFT_OUT = 5

export interface KeyFrame {
  /** Whole packets; nobody writes to them any more. */
  readonly bytes: Uint8Array
  readonly pid: number
  /** Counts the key frames, from 1. */
  readonly number: number
  /** Monotonic. */
  readonly receivedAtMs: number
}

interface Taking {
  readonly pid: number
  readonly codec: string
  readonly receivedAtMs: number
  readonly parts: Uint8Array[]
  bytes: number
  /** The packet with which the picture begins has been seen. */
  hasBegun: boolean
  /** It was one field: the other one is being taken. */
  isSecondField: boolean
  /** Counter of its last packet; -1 before the first. */
  counter: number
  /** Packets are missing, or damaged. */
  isDamaged: boolean
}

export class KeyFrameTaker {
  /** Undefined before the first. */
  newest: KeyFrame | undefined
  /** Why there is no newer one, for people. */
  lack = 'no key frame has arrived so far'
  readonly #builder = new EntryBuilder(false)
  #taking: Taking | undefined
  #count = 0
  /** Damaged key frames since the newest one. */
  #leftOut = 0

  /** True if there is a new key frame. */
  push(chunk: AnyChunk): boolean {
    const before = this.#count
    if (chunk.discontinuity !== false) this.#taking = undefined
    for (const entry of this.#builder.push(chunk)) {
      if (entry.join?.keyframe === true) this.#begin(entry, chunk)
      if (this.#taking !== undefined) this.#take(entry, this.#taking)
    }
    return this.#count > before
  }

  /** The stream has ended: nothing follows a picture that would end it. */
  finish(): boolean {
    const taking = this.#taking
    if (taking === undefined || !taking.hasBegun) return false
    this.#end(taking)
    return true
  }

  /** In streams of key frames alone it ends the one before. */
  #begin({ join, receivedAtMs }: BuiltEntry, { lead }: AnyChunk): void {
    if (this.#taking?.hasBegun === true) this.#end(this.#taking)
    this.#taking = undefined
    if (lead === undefined || join === undefined) return
    if (lead.media !== 'video') {
      this.lack = 'the stream has no pictures'
      return
    }
    const preamble = join.preamble()
    const parts = [preamble.slice()]
    const { pid, codec } = lead
    const start = { bytes: preamble.length, hasBegun: false, isSecondField: false, counter: -1, isDamaged: false }
    this.#taking = { pid, codec, receivedAtMs, parts, ...start }
  }

  /** The packets of the picture, up to where the next one begins. */
  #take({ bytes, marks }: BuiltEntry, taking: Taking): void {
    if (marks === undefined) return
    let from = taking.hasBegun ? 0 : -1
    for (let at = 0; at < marks.length; at += MARK_SIZE) {
      if (marks[at + MARK_PID] !== taking.pid) continue
      const flags = marks[at + MARK_FLAGS]!
      if ((flags & SCRAMBLED) !== 0) return this.#giveUp('the pictures are scrambled')
      if ((flags & UNIT_START) === 0) continue
      const offset = marks[at + MARK_OFFSET]!
      if (taking.hasBegun) {
        if (!this.#copy(bytes.subarray(from, offset), taking)) return
        noteDamage(bytes.subarray(offset, offset + PACKET_SIZE), taking)
        if (taking.isSecondField || !isOneField(taking)) return this.#end(taking)
        taking.isSecondField = true
      }
      taking.hasBegun = true
      from = offset
    }
    if (from >= 0) this.#copy(bytes.subarray(from), taking)
  }

  /** False if the picture is too large. */
  #copy(packets: Uint8Array, taking: Taking): boolean {
    const kept = packetsOf(packets, taking.pid)
    noteDamage(kept, taking)
    taking.bytes += kept.length
    taking.parts.push(kept)
    if (taking.bytes <= MOST_BYTES) return true
    this.#giveUp(`the key frame has more than ${MOST_BYTES / 1024 / 1024} MiB`)
    return false
  }

  #giveUp(why: string): void {
    this.lack = why
    this.#taking = undefined
  }

  #end({ parts, bytes, pid, receivedAtMs, isDamaged }: Taking): void {
    this.#taking = undefined
    if (isDamaged && this.newest !== undefined && this.#leftOut < MOST_LEFT_OUT) {
      this.#leftOut++
      return
    }
    this.#leftOut = 0
    const joined = new Uint8Array(bytes)
    let at = 0
    for (const part of parts) {
      joined.set(part, at)
      at += part.length
    }
    this.newest = { bytes: joined, pid, number: ++this.#count, receivedAtMs }
  }
}

/** A decoder makes a picture of what is left all the same. ISO/IEC 13818-1 2.4.3.3. */
function noteDamage(packets: Uint8Array, taking: Taking): void {
  for (let at = 0; at < packets.length; at += PACKET_SIZE) {
    if (!hasPayload(packets, at)) continue
    const counter = readCounter(packets, at)
    const steps = taking.counter < 0 ? 1 : (counter - taking.counter) & 15
    // The same again is a duplicate.
    if (steps > 1 || hasTransportError(packets, at)) taking.isDamaged = true
    taking.counter = counter
  }
}

/** Whether the other field of the picture is still to come. */
function isOneField({ codec, parts, pid }: Taking): boolean {
  const payloads: Uint8Array[] = []
  for (const bytes of parts) {
    for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
      if (readPid(bytes, at) !== pid || !hasPayload(bytes, at)) continue
      const from = isUnitStart(bytes, at) ? pesHeaderEnd(bytes, payloadOffset(bytes, at), at + PACKET_SIZE) : -1
      payloads.push(bytes.subarray(from < 0 ? payloadOffset(bytes, at) : from, at + PACKET_SIZE))
    }
  }
  return countFields(codec, Buffer.concat(payloads)) === 1
}

/** A copy of the packets of one PID. */
function packetsOf(bytes: Uint8Array, pid: number): Uint8Array {
  const kept = new Uint8Array(bytes.length)
  let length = 0
  for (let offset = 0; offset + PACKET_SIZE <= bytes.length; offset += PACKET_SIZE) {
    if (readPid(bytes, offset) !== pid) continue
    kept.set(bytes.subarray(offset, offset + PACKET_SIZE), length)
    length += PACKET_SIZE
  }
  return kept.subarray(0, length)
}
