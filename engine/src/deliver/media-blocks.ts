// Memory that delivery lends to outputs for media they keep: blocks of one size, filled again when their media has been
// released and no stream can hold any of it.
import type { Writable } from 'node:stream'
import type { KeptMedia, MediaMemory, SendOptions } from '../plugin/media-memory.js'
import type { Clock } from '../plugin/tokens.js'
import { PieceWriter } from '../state/piece-writer.js'

const BLOCK_BYTES = 128 * 1024

export class MediaBlocks implements MediaMemory {
  #limitBlocks = 0
  readonly #writer: PieceWriter
  readonly #free: Buffer[] = []
  /** Media that the output has released, oldest first, and that is still being sent. */
  readonly #lingering = new Set<SentMedia>()
  /** Blocks in use, and free ones. */
  #count = 0

  constructor(limitBytes: number, clock: Pick<Clock, 'after' | 'nowMs'>) {
    this.#writer = new PieceWriter(clock)
    this.resize(limitBytes)
  }

  resize(limitBytes: number): void {
    this.#limitBlocks = Math.floor(limitBytes / BLOCK_BYTES)
    const tooMany = Math.min(this.#free.length, Math.max(0, this.#count - this.#limitBlocks))
    this.#free.splice(0, tooMany)
    this.#count -= tooMany
  }

  get bytes(): number {
    return this.#count * BLOCK_BYTES
  }

  keep(parts: readonly Uint8Array[]): KeptMedia | undefined {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const needed = Math.ceil(length / BLOCK_BYTES)
    if (needed > this.#limitBlocks) return undefined
    for (const slow of this.#lingering) {
      if (this.#hasRoomFor(needed)) break
      slow.cut()
    }
    if (!this.#hasRoomFor(needed)) return undefined
    const blocks = Array.from({ length: needed }, () => this.#free.pop() ?? this.#allocate())
    fill(blocks, parts)
    const media: SentMedia = new SentMedia(blocks, length, this.#writer, {
      onLinger: () => void this.#lingering.add(media),
      onUnused: (areReusable) => {
        this.#lingering.delete(media)
        if (areReusable && this.#count <= this.#limitBlocks) this.#free.push(...blocks)
        else this.#count -= blocks.length
      },
    })
    return media
  }

  #hasRoomFor(blocks: number): boolean {
    return blocks - this.#free.length <= this.#limitBlocks - this.#count
  }

  #allocate(): Buffer {
    this.#count++
    return Buffer.allocUnsafeSlow(BLOCK_BYTES)
  }
}

interface MediaHost {
  /** The output has released it, and it is still being sent. */
  onLinger(): void
  /** Called once: nothing uses it any more. */
  onUnused(areReusable: boolean): void
}

class SentMedia implements KeptMedia {
  readonly length: number
  readonly #blocks: readonly Buffer[]
  readonly #writer: PieceWriter
  readonly #host: MediaHost
  readonly #streams = new Set<Writable>()
  #isReleased = false
  #isUnused = false
  /** A stream was cut: the system may still read what it was given. */
  #wasCut = false

  constructor(blocks: readonly Buffer[], length: number, writer: PieceWriter, host: MediaHost) {
    this.length = length
    this.#blocks = blocks
    this.#writer = writer
    this.#host = host
  }

  async sendTo(stream: Writable, options: SendOptions = {}): Promise<boolean> {
    if (this.#isReleased || this.#streams.has(stream)) return false
    const busy = options.session?.busy()
    this.#streams.add(stream)
    let isSent = false
    try {
      options.onStart?.()
      isSent = await this.#send(stream, options)
    } catch {
      // The stream is the caller's, and may throw.
    }
    this.#wasCut ||= !isSent
    this.#streams.delete(stream)
    busy?.[Symbol.dispose]()
    this.#checkUse()
    return isSent
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    if (this.#streams.size > 0) this.#host.onLinger()
    this.#checkUse()
  }

  /** Ends what is still being sent: the memory is needed. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy()
    this.#wasCut = true
    this.#streams.clear()
    this.#checkUse()
  }

  async #send(stream: Writable, { session, from = 0, to = this.length, ends = false }: SendOptions): Promise<boolean> {
    const end = Math.min(wholeOf(to), this.length)
    for (let at = wholeOf(from); at < end;) {
      const piece = this.#pieceAt(at, end)
      at += piece.length
      if (!(await this.#writer.write(stream, piece, { isLast: ends && at >= end }))) return false
      session?.sent(piece.length)
    }
    return true
  }

  #pieceAt(at: number, end: number): Buffer {
    const inBlock = at % BLOCK_BYTES
    const length = Math.min(end - at, BLOCK_BYTES - inBlock)
    return this.#blocks[Math.floor(at / BLOCK_BYTES)]!.subarray(inBlock, inBlock + length)
  }

  #checkUse(): void {
    if (!this.#isReleased || this.#streams.size > 0 || this.#isUnused) return
    this.#isUnused = true
    this.#host.onUnused(!this.#wasCut)
  }
}

function wholeOf(offset: number): number {
  return Number.isFinite(offset) ? Math.max(0, Math.trunc(offset)) : 0
}

function fill(blocks: readonly Buffer[], parts: readonly Uint8Array[]): void {
  let at = 0
  for (const part of parts) {
    for (let from = 0; from < part.length;) {
      const inBlock = at % BLOCK_BYTES
      const piece = part.subarray(from, from + BLOCK_BYTES - inBlock)
      blocks[Math.floor(at / BLOCK_BYTES)]!.set(piece, inBlock)
      from += piece.length
      at += piece.length
    }
  }
}
