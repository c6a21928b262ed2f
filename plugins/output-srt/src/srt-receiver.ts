// One connection that the stream is sent to: it starts at a key frame, and again after packets were too late for it.
import type { Join } from '@millrace/engine/plugin'
import type { SrtConnection } from '@millrace/srt/node'
import { PAYLOAD_BYTES, PACKET_BYTES } from './payload.js'

/** Bytes of the window that are sent together, and the times of the first and the last of them. */
export interface WindowRun {
  readonly from: number
  readonly to: number
  readonly fromMs: number
  readonly toMs: number
}

export class SrtReceiver {
  readonly connection: SrtConnection
  /** How often it had to wait for a key frame because packets became too late. */
  skips = 0
  /** What it did not get of the stream meanwhile. */
  skippedBytes = 0
  readonly #payloadBytes: number
  #isReading = false
  #hasBegun = false
  /** Where it began to read. */
  #mark = 0

  constructor(connection: SrtConnection) {
    this.connection = connection
    const most = Math.min(connection.payloadBytes, PAYLOAD_BYTES)
    this.#payloadBytes = Math.max(PACKET_BYTES, most - (most % PACKET_BYTES))
  }

  get isReading(): boolean {
    return this.#isReading
  }

  /** It has received a key frame, at some time. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** The stream goes on with a key frame. Returns the bytes that were sent before it. */
  start(join: Join, atMs: number): number {
    if (this.#isReading) return 0
    const head = this.#hasBegun ? join.bridge() : join.preamble()
    this.#mark = this.connection.sendMark
    const payloads: Uint8Array[] = []
    for (let at = 0; at < head.length; at += this.#payloadBytes)
      payloads.push(head.subarray(at, at + this.#payloadBytes))
    // A buffer without room: the next key frame is another chance.
    this.#isReading = this.connection.send(payloads, atMs) === payloads.length
    this.#hasBegun ||= this.#isReading
    return this.#isReading ? head.length : 0
  }

  /** Returns the bytes that were sent; undefined if it has to wait for a key frame from now on. */
  send({ from, to, fromMs, toMs }: WindowRun): number | undefined {
    if (!this.#isReading) {
      if (this.#hasBegun) this.skippedBytes += to - from
      return 0
    }
    const { connection } = this
    if (!connection.hasDroppedSince(this.#mark)) {
      const reached = connection.sendFrom(from, to, this.#payloadBytes, fromMs, toMs)
      if (reached === to) return to - from
    }
    this.#isReading = false
    this.skips++
    this.skippedBytes += to - from
    return undefined
  }
}
