// Holds the first bytes of all renditions of a new run until each has a key frame at the same time: from there on all are
// passed on, and what precedes it is dropped. So renditions begin together, and cut at the same pictures.
import { difference33, Framer, PACKET_SIZE } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { startPts } from './inlet-stream.js'
import type { Entry } from './inlet-stream.js'

/** Renditions with other frame rates have their key frames a frame apart at most. */
const TOLERANCE_90K = 9000
/** The most that is held of one rendition; then its oldest key frame is given up. */
const MAX_HELD_BYTES = 8 * 1024 * 1024

export interface CommonStartSettings {
  readonly outputs: number
  /** Outputs that need not begin at the same picture: they begin at their next key frame. */
  isFree(output: number): boolean
  /** The native rendition is one of those that begin together. */
  readonly native: 'together' | 'free' | 'none'
  /** Readers have received something of another run. */
  readonly isAgain: boolean
}

interface Held {
  readonly framer: Framer
  readonly chunks: TsChunk[]
  bytes: number
  /** Bytes behind the last whole packet. */
  rest: Uint8Array
}

/** What is to be sent at the start: a list of byte runs for each output, and for the native rendition. */
export interface Started {
  readonly pts90k: number
  readonly outputs: readonly (readonly Uint8Array[])[]
  readonly native: readonly Uint8Array[]
}

export class CommonStart {
  readonly #settings: CommonStartSettings
  readonly #held: readonly Held[]
  readonly #native: Entry[] = []
  #nativeBytes = 0

  constructor(settings: CommonStartSettings) {
    this.#settings = settings
    this.#held = Array.from({ length: settings.outputs }, () => ({
      framer: new Framer(),
      chunks: [],
      bytes: 0,
      rest: new Uint8Array(0),
    }))
  }

  pushNative(entry: Entry): void {
    if (this.#settings.native === 'none') return
    if (this.#native.length === 0 && entry.start === undefined) return
    this.#native.push(entry)
    this.#nativeBytes += entry.bytes.length
    while (this.#nativeBytes > MAX_HELD_BYTES) this.#dropNative()
  }

  /** Takes bytes of an output, which are copied. */
  push(output: number, bytes: Uint8Array, nowMs: number): void {
    const held = this.#held[output]
    if (held === undefined) return
    const all = held.rest.length === 0 ? bytes : joined([held.rest, bytes])
    const whole = all.length - (all.length % PACKET_SIZE)
    held.rest = all.slice(whole)
    this.#keep(held, held.framer.push(all.subarray(0, whole), nowMs))
  }

  /**
   * What is to be sent if all can begin now; nothing is held afterwards. To be called every batch of 50 ms or so.
   * `from90k`: key frames before it were sent already; -1 for none.
   */
  open(from90k: number, nowMs: number): Started | undefined {
    for (const held of this.#held) this.#keep(held, held.framer.flush(nowMs))
    const pts90k = this.#commonPts(from90k)
    if (pts90k === undefined) return undefined
    const outputs = this.#held.map((held, output) => {
      this.#keep(held, held.framer.finish(nowMs))
      const at = held.chunks.findIndex((chunk) => this.#isStart(chunk, pts90k, this.#settings.isFree(output)))
      return [...held.chunks.slice(Math.max(0, at)).map(({ bytes }) => bytes), held.rest]
    })
    return { pts90k, outputs, native: this.#startNative(pts90k) }
  }

  #keep(held: Held, chunks: readonly TsChunk[]): void {
    for (const chunk of chunks) {
      held.chunks.push(chunk)
      held.bytes += chunk.bytes.length
    }
    while (held.bytes > MAX_HELD_BYTES) {
      const next = held.chunks.findIndex(({ randomAccess }, index) => index > 0 && randomAccess)
      for (const { bytes } of held.chunks.splice(0, Math.max(1, next))) held.bytes -= bytes.length
    }
  }

  #commonPts(from90k: number): number | undefined {
    const first = this.#held.findIndex((_, output) => !this.#settings.isFree(output))
    const candidates = (this.#held[Math.max(0, first)]?.chunks ?? [])
      .filter(({ randomAccess }) => randomAccess)
      .map(startPts)
    return candidates.find((pts90k) => isAllowed(pts90k, from90k) && this.#canAllStart(pts90k))
  }

  #canAllStart(pts90k: number): boolean {
    const haveOutputs = this.#held.every(({ chunks }, output) =>
      chunks.some((chunk) => this.#isStart(chunk, pts90k, this.#settings.isFree(output))),
    )
    return haveOutputs && (this.#settings.native !== 'together' || this.#nativeIndex(pts90k) >= 0)
  }

  #isStart(chunk: TsChunk, pts90k: number, isFree: boolean): boolean {
    return chunk.randomAccess && isAt(startPts(chunk), pts90k, isFree)
  }

  #nativeIndex(pts90k: number): number {
    const isFree = this.#settings.native === 'free'
    return this.#native.findIndex(({ start }) => start !== undefined && isAt(start.pts90k, pts90k, isFree))
  }

  /** If it is free and has no key frame so far, the next one follows later. */
  #startNative(pts90k: number): readonly Uint8Array[] {
    const index = this.#settings.native === 'none' ? -1 : this.#nativeIndex(pts90k)
    if (index < 0) return []
    return this.#native.slice(index).flatMap(({ start, bytes, isBreak }, at) => {
      if (start === undefined) return [bytes]
      if (at > 0) return isBreak ? [start.bridge, bytes] : [bytes]
      return [joined([this.#settings.isAgain ? start.bridge : start.lead, start.bytes])]
    })
  }

  #dropNative(): void {
    const next = this.#native.findIndex(({ start }, index) => index > 0 && start !== undefined)
    for (const { bytes } of this.#native.splice(0, next < 0 ? this.#native.length : next)) {
      this.#nativeBytes -= bytes.length
    }
  }
}

function isAllowed(pts90k: number, from90k: number): boolean {
  return pts90k < 0 || from90k < 0 || difference33(pts90k, from90k) >= 0
}

/** At the time, or for one that is free at it or later. Streams without times begin anywhere. */
function isAt(pts90k: number, wanted90k: number, isFree: boolean): boolean {
  if (pts90k < 0 || wanted90k < 0) return true
  const late90k = difference33(pts90k, wanted90k)
  return Math.abs(late90k) <= TOLERANCE_90K || (isFree && late90k > 0)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
