// A file on a disk as media that is kept: read piece by piece while it is sent.
import type { FileHandle } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import type { KeptMedia, SendOptions } from '../plugin/media-memory.js'
import type { DiskTurns } from './disk-turns.js'
import type { OpenFiles } from './open-files.js'
import { PIECE_BYTES, type ReadBuffers } from './read-buffers.js'
import type { PieceWriter } from './piece-writer.js'

/** Shared by all nodes. */
export interface DiskReading {
  readonly turns: DiskTurns
  readonly files: OpenFiles
  readonly buffers: ReadBuffers
  readonly writer: PieceWriter
}

export class StoredMedia implements KeptMedia {
  readonly length: number
  readonly #path: string
  readonly #reading: DiskReading
  readonly #streams = new Set<Writable>()

  constructor(path: string, length: number, reading: DiskReading) {
    this.#path = path
    this.length = length
    this.#reading = reading
  }

  async sendTo(stream: Writable, options: SendOptions = {}): Promise<boolean> {
    if (this.#streams.has(stream)) return false
    const busy = options.session?.busy()
    this.#streams.add(stream)
    try {
      return await this.#reading.files.use(this.#path, this.length, (handle) => this.#send(handle, stream, options))
    } catch {
      // The file is gone, the disk does not answer, or the stream, which is the caller's, throws.
      return false
    } finally {
      this.#streams.delete(stream)
      busy?.[Symbol.dispose]()
    }
  }

  release(): void {
    // The file stays until it is removed.
  }

  async #send(handle: FileHandle, stream: Writable, options: SendOptions): Promise<boolean> {
    const { session, from = 0, to = this.length, onStart, ends = false } = options
    if (stream.destroyed) return false
    onStart?.()
    const end = Math.min(wholeOf(to), this.length)
    for (let at = wholeOf(from); at < end; at += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, end - at)
      const sent = await this.#sendPiece(handle, stream, { at, length, isLast: ends && at + length >= end })
      if (sent === 0) return false
      session?.sent(sent)
    }
    return true
  }

  /** 0 if the client has left, or the file has become shorter. */
  async #sendPiece(handle: FileHandle, stream: Writable, { at, length, isLast }: Piece): Promise<number> {
    const { turns, buffers, writer } = this.#reading
    const block = await buffers.take(stream)
    let isReusable = true
    try {
      const { bytesRead } = await turns.run(() => handle.read(block, 0, length, at))
      if (bytesRead < length) return 0
      isReusable = false
      isReusable = await writer.write(stream, block.subarray(0, length), { isLast })
      return isReusable ? length : 0
    } finally {
      // Behind a stream that was cut, the system may still read it.
      buffers.give(block, isReusable)
    }
  }
}

interface Piece {
  readonly at: number
  readonly length: number
  readonly isLast: boolean
}

function wholeOf(offset: number): number {
  return Number.isFinite(offset) ? Math.max(0, Math.trunc(offset)) : 0
}
