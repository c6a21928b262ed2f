// The header of a chunk (RTMP 1.0, clause 5.3.1), collected from bytes in pieces: basic header, message header of type 0 to
// 3, extended time stamp.
import type { ChunkProblem } from './chunk-problem.js'

/** What is known of a chunk stream. */
export interface ChunkStreamState {
  length: number
  type: number
  messageStreamId: number
  timestampMs: number
  deltaMs: number
  /** Of the latest header of type 0 to 2, as it was sent; undefined if it had none. */
  extended: number | undefined
  isInMessage: boolean
  hasHeader: boolean
  received: number
  memory: Uint8Array | undefined
}

const MAX_HEADER_BYTES = 3 + 11 + 4
const MESSAGE_HEADER_BYTES = [11, 7, 3, 0] as const
const EXTENDED = 0xff_ffff
const EXTENDED_BYTES = 4

export class ChunkHeader {
  chunkStreamId = 0
  isWhole = false
  /** Bytes that came in earlier calls, before it was clear that they follow the header. */
  foreign: Uint8Array | undefined
  readonly #bytes = new Uint8Array(MAX_HEADER_BYTES)
  readonly #view = new DataView(this.#bytes.buffer)
  #length = 0
  #format = 0
  #messageHeaderAt = 1
  /** Undefined until as many bytes have come as say it. */
  #needed: number | undefined

  /** Takes bytes until the header is whole; returns where it ends. */
  push(bytes: Uint8Array, at: number, streams: ReadonlyMap<number, ChunkStreamState>): number {
    if (this.isWhole) this.#begin()
    let next = at
    while (next < bytes.length && !this.isWhole) {
      this.#bytes[this.#length++] = bytes[next++]!
      const foreign = this.#check(streams)
      if (foreign === 0) continue
      if (foreign <= next - at) return next - foreign
      this.foreign = this.#bytes.slice(this.#length - foreign, this.#length)
    }
    return next
  }

  applyTo(stream: ChunkStreamState): ChunkProblem | undefined {
    if (this.#format === 3) return this.#continue(stream)
    if (this.#format !== 0 && !stream.hasHeader) return 'no message header on its chunk stream'
    const at = this.#messageHeaderAt
    const field = (this.#view.getUint16(at) << 8) | this.#bytes[at + 2]!
    stream.extended = field === EXTENDED ? this.#view.getUint32(this.#length - EXTENDED_BYTES) : undefined
    const time = stream.extended ?? field
    stream.deltaMs = time
    stream.timestampMs = this.#format === 0 ? time : (stream.timestampMs + time) >>> 0
    if (this.#format < 2) {
      stream.length = (this.#view.getUint16(at + 3) << 8) | this.#bytes[at + 5]!
      stream.type = this.#bytes[at + 6]!
    }
    if (this.#format === 0) stream.messageStreamId = this.#view.getUint32(at + 7, true)
    stream.hasHeader = true
    stream.isInMessage = true
    // A header within a message begins a new one: what had come of the old one is lost.
    stream.received = 0
    return undefined
  }

  /** Type 3: the next chunk of a message, or a message like the one before. */
  #continue(stream: ChunkStreamState): ChunkProblem | undefined {
    if (!stream.hasHeader) return 'no message header on its chunk stream'
    if (stream.isInMessage) return undefined
    stream.timestampMs = (stream.timestampMs + stream.deltaMs) >>> 0
    stream.isInMessage = true
    return undefined
  }

  #begin(): void {
    this.isWhole = false
    this.foreign = undefined
    this.#length = 0
    this.#needed = undefined
  }

  /** Returns how many of the bytes turned out to follow the header. */
  #check(streams: ReadonlyMap<number, ChunkStreamState>): number {
    this.#needed ??= this.#readBasicHeader()
    if (this.#needed === undefined || this.#length < this.#needed) return 0
    if (this.#format === 3) return this.#checkRepeated(streams.get(this.chunkStreamId))
    const at = this.#messageHeaderAt
    const isExtended = this.#bytes[at] === 0xff && this.#bytes[at + 1] === 0xff && this.#bytes[at + 2] === 0xff
    this.isWhole = this.#length === this.#needed + (isExtended ? EXTENDED_BYTES : 0)
    return 0
  }

  /** Clause 5.3.1.1: the low six bits say the id, or how many bytes it has. */
  #readBasicHeader(): number | undefined {
    const first = this.#bytes[0]!
    const low = first & 0x3f
    const size = low < 2 ? 2 + low : 1
    if (this.#length < size) return undefined
    this.#format = first >> 6
    this.chunkStreamId = low
    if (low === 0) this.chunkStreamId = 64 + this.#bytes[1]!
    if (low === 1) this.chunkStreamId = 64 + this.#bytes[1]! + 256 * this.#bytes[2]!
    this.#messageHeaderAt = size
    return size + MESSAGE_HEADER_BYTES[this.#format]!
  }

  /**
   * The extended time stamp is repeated on chunks of type 3 (clause 5.3.1.3), but some encoders leave it out: the next
   * bytes are it only as long as they are the same. Encoders that repeat the time instead of the delta exist too.
   */
  #checkRepeated(stream: ChunkStreamState | undefined): number {
    const from = this.#needed!
    const count = this.#length - from
    if (stream?.extended === undefined) {
      this.isWhole = true
      return 0
    }
    const isSame = (value: number): boolean => isRepeated(this.#bytes, from, count, value)
    const { extended, timestampMs, deltaMs } = stream
    if (isSame(extended) || isSame(timestampMs) || isSame((timestampMs + deltaMs) >>> 0)) {
      this.isWhole = count === EXTENDED_BYTES
      return 0
    }
    this.isWhole = true
    return count
  }
}

function isRepeated(bytes: Uint8Array, from: number, count: number, value: number): boolean {
  for (let at = 0; at < count; at++) if (bytes[from + at] !== ((value >>> (24 - 8 * at)) & 0xff)) return false
  return true
}
