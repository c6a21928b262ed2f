// A node that replaces another one at a reload: the old one sends up to a key frame, and the new one begins with it, so that
// readers that are cut over lose and repeat nothing.
import { difference33, Framer, PACKET_SIZE } from '@millrace/media/mpegts'
import type { TsChunk } from '@millrace/media/mpegts'
import { startPts } from './inlet-stream.js'

/** How often what is looked through is passed on. */
const BATCH_MS = 50
const NONE: readonly Uint8Array[] = []

/** The old node's side; the new one receives it as the state of the old one. */
export class Succession {
  /** Counts the bytes of each output, so that packets are known. */
  readonly #rests = new Map<number, number>()
  readonly #tails = new Map<number, Tail>()
  #isRequested = false
  #stopAt90k = -1
  #isOver = false
  #isSending = false

  /** Called by the new node, once it has an encoder that gives something. */
  request(): void {
    this.#isRequested = true
  }

  /** Called by the new node if it ends without having begun: the old one sends on. */
  cancel(): void {
    this.#isRequested = false
    this.#stopAt90k = -1
    this.#tails.clear()
  }

  /** The key frame with which the new node begins; -1 while that is not decided. */
  get stopAt90k(): number {
    return this.#stopAt90k
  }

  /** Called by the old node when it ends: it decides nothing more. */
  end(): void {
    this.#isOver = true
  }

  /** The old node has ended, also if it has not said where: its source may have been silent since. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Its encoder works, as far as is known; or did when the old node ended. */
  get isSending(): boolean {
    return this.#isSending
  }

  /** A key frame comes in. True if it is no longer for the old node's native rendition. */
  stopsAt(pts90k: number | undefined): boolean {
    if (this.#isRequested && this.#stopAt90k < 0 && pts90k !== undefined && pts90k >= 0) this.#stopAt90k = pts90k
    return this.#stopAt90k >= 0
  }

  /** What the old node still sends of an output. */
  pass(output: number, bytes: Uint8Array, nowMs: number): readonly Uint8Array[] {
    const rest = this.#rests.get(output) ?? 0
    this.#rests.set(output, (rest + bytes.length) % PACKET_SIZE)
    if (this.#stopAt90k < 0) return [bytes]
    const known = this.#tails.get(output)
    if (known !== undefined) return known.take(bytes, nowMs)
    const tail = new Tail(this.#stopAt90k)
    this.#tails.set(output, tail)
    const until = Math.min(bytes.length, (PACKET_SIZE - rest) % PACKET_SIZE)
    return [bytes.subarray(0, until), ...tail.take(bytes.subarray(until), nowMs)]
  }

  /** Another run of the encoder: its bytes begin with a packet. */
  reset(): void {
    this.#rests.clear()
    this.#isSending = true
  }

  /** The encoder has ended. */
  pause(): void {
    this.#isSending = false
  }
}

/** The end of one output: up to the key frame. */
class Tail {
  readonly #framer = new Framer()
  readonly #stopAt90k: number
  #flushedMs = -Infinity
  #isOver = false

  constructor(stopAt90k: number) {
    this.#stopAt90k = stopAt90k
  }

  take(bytes: Uint8Array, nowMs: number): readonly Uint8Array[] {
    if (this.#isOver) return NONE
    const chunks = [...this.#framer.push(bytes, nowMs)]
    if (nowMs - this.#flushedMs >= BATCH_MS) {
      chunks.push(...this.#framer.flush(nowMs))
      this.#flushedMs = nowMs
    }
    const end = chunks.findIndex((chunk) => this.#isEnd(chunk))
    this.#isOver = end >= 0
    return (end < 0 ? chunks : chunks.slice(0, end)).map((chunk) => chunk.bytes)
  }

  #isEnd(chunk: TsChunk): boolean {
    const pts90k = chunk.randomAccess ? startPts(chunk) : -1
    return pts90k >= 0 && difference33(pts90k, this.#stopAt90k) >= 0
  }
}
