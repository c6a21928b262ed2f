// Reads messages from a chunk stream (RTMP 1.0, clause 5.3), from bytes in pieces of any size. A message in a single
// chunk that is whole in the bytes is handed over as it lies there; others are put together in memory that is used again.
import type { Message } from '../session/message.js'
import { ChunkHeader } from './chunk-header.js'
import type { ChunkStreamState } from './chunk-header.js'
import type { ChunkProblem } from './chunk-problem.js'
import { MessageMemory } from './message-memory.js'

/** Clause 5.4.1. */
const INITIAL_CHUNK_SIZE = 128
const MAX_CHUNK_SIZE = 0x7fff_ffff
const NOTHING: Uint8Array = new Uint8Array()

export interface ChunkReaderOptions {
  /** Of one message, in bytes. */
  readonly maxMessage: number
  /** Of the memory of all messages that are unfinished, in bytes. */
  readonly maxUnfinished: number
  readonly maxChunkStreams: number
}

const DEFAULTS: ChunkReaderOptions = {
  maxMessage: 16 * 1024 * 1024,
  maxUnfinished: 32 * 1024 * 1024,
  maxChunkStreams: 256,
}

export class ChunkReader {
  readonly #maxChunkStreams: number
  #maxMessage: number
  readonly #onMessage: (message: Message) => void
  readonly #streams = new Map<number, ChunkStreamState>()
  readonly #memory: MessageMemory
  readonly #header = new ChunkHeader()
  readonly #message: { -readonly [K in keyof Message]: Message[K] } = {
    ...{ type: 0, messageStreamId: 0, timestampMs: 0 },
    body: NOTHING,
  }
  #chunkSize = INITIAL_CHUNK_SIZE
  /** The stream whose chunk is being read, and what is missing of the chunk. */
  #current: ChunkStreamState | undefined
  #left = 0
  #problem: ChunkProblem | undefined
  #chunkCount = 0

  /** @param onMessage called for each message, which is valid during the call */
  constructor(onMessage: (message: Message) => void, options: Partial<ChunkReaderOptions> = {}) {
    this.#onMessage = onMessage
    const { maxMessage, maxUnfinished, maxChunkStreams } = { ...DEFAULTS, ...options }
    this.#maxMessage = maxMessage
    this.#maxChunkStreams = maxChunkStreams
    this.#memory = new MessageMemory(maxUnfinished)
  }

  /** Nothing is read any more. */
  get problem(): ChunkProblem | undefined {
    return this.#problem
  }

  /** Held for messages that are unfinished, in bytes. */
  get heldBytes(): number {
    return this.#memory.heldBytes
  }

  /** Chunks that have begun. */
  get chunkCount(): number {
    return this.#chunkCount
  }

  get chunkStreamCount(): number {
    return this.#streams.size
  }

  setChunkSize(size: number): void {
    if (size < 1 || size > MAX_CHUNK_SIZE) this.#problem = 'chunk size out of range'
    else this.#chunkSize = size
  }

  /** For messages that begin later. */
  setLimits({ maxMessage, maxUnfinished }: Pick<ChunkReaderOptions, 'maxMessage' | 'maxUnfinished'>): void {
    this.#maxMessage = maxMessage
    this.#memory.limit = maxUnfinished
  }

  /** Drops what has come of a message. */
  abort(chunkStreamId: number): void {
    const stream = this.#streams.get(chunkStreamId)
    if (stream === undefined) return
    stream.received = 0
    stream.isInMessage = false
    this.#memory.release(stream)
  }

  push(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length && this.#problem === undefined) {
      if (this.#current === undefined) at = this.#readHeader(bytes, at)
      else at = this.#readPayload(this.#current, bytes, at)
    }
  }

  /** Stops reading, and gives the memory back. */
  close(): void {
    this.#problem ??= 'no message header on its chunk stream'
    this.#memory.clear()
    this.#streams.clear()
    this.#current = undefined
  }

  #readHeader(bytes: Uint8Array, at: number): number {
    const next = this.#header.push(bytes, at, this.#streams)
    if (!this.#header.isWhole) return next
    const { foreign } = this.#header
    this.#beginChunk()
    if (foreign !== undefined) this.push(foreign)
    return next
  }

  #beginChunk(): void {
    this.#chunkCount++
    const header = this.#header
    const stream = this.#streamOf(header.chunkStreamId)
    if (stream === undefined) return
    const problem = header.applyTo(stream)
    if (problem !== undefined) return this.#fail(problem)
    if (stream.length > this.#maxMessage) return this.#fail('message too long')
    this.#left = Math.min(stream.length - stream.received, this.#chunkSize)
    if (stream.length === 0) this.#deliver(stream, NOTHING)
    else this.#current = stream
  }

  #streamOf(id: number): ChunkStreamState | undefined {
    const known = this.#streams.get(id)
    if (known !== undefined) return known
    if (this.#streams.size >= this.#maxChunkStreams) {
      this.#fail('too many chunk streams')
      return undefined
    }
    const stream: ChunkStreamState = {
      ...{ length: 0, type: 0, messageStreamId: 0, timestampMs: 0, deltaMs: 0 },
      ...{ extended: undefined, isInMessage: false, hasHeader: false, received: 0, memory: undefined },
    }
    this.#streams.set(id, stream)
    return stream
  }

  #readPayload(stream: ChunkStreamState, bytes: Uint8Array, at: number): number {
    const end = Math.min(at + this.#left, bytes.length)
    const piece = bytes.subarray(at, end)
    if (stream.received === 0 && piece.length === stream.length) {
      this.#current = undefined
      this.#deliver(stream, piece)
      return end
    }
    if (!this.#memory.append(stream, piece)) {
      this.#fail('unfinished messages too long')
      return end
    }
    this.#left -= piece.length
    if (this.#left === 0) this.#current = undefined
    if (stream.received === stream.length) this.#deliver(stream, stream.memory!.subarray(0, stream.length))
    return end
  }

  #deliver(stream: ChunkStreamState, body: Uint8Array): void {
    const message = this.#message
    message.type = stream.type
    message.messageStreamId = stream.messageStreamId
    message.timestampMs = stream.timestampMs
    message.body = body
    stream.received = 0
    stream.isInMessage = false
    this.#memory.release(stream)
    this.#onMessage(message)
    message.body = NOTHING
  }

  #fail(problem: ChunkProblem): void {
    this.#problem = problem
    this.#current = undefined
    this.#memory.clear()
    this.#streams.clear()
  }
}
