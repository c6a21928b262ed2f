// Memory that delivery lends to outputs for media they keep: blocks of one size, filled again when their media has been
// released and no stream can hold any of it.
import type { Writable } from 'node:stream'
import type { KeptMedia, MediaMemory, SendOptions } from '../plugin/media-memory.js'
import type { Clock } from '../plugin/tokens.js'

const BLOCK_BYTES = 128 * 1024
/** A stream that takes nothing for this long is destroyed. */
const STALL_MS = 90_000

export class MediaBlocks implements MediaMemory {
  readonly #limitBlocks: number
  readonly #clock: Pick<Clock, 'after'>
  readonly #free: Buffer[] = []
  /** Blocks in use, and free ones. */
  #count = 0

  constructor(limitBytes: number, clock: Pick<Clock, 'after'>) {
    this.#limitBlocks = Math.floor(limitBytes / BLOCK_BYTES)
    this.#clock = clock
  }

  get bytes(): number {
    return this.#count * BLOCK_BYTES
  }

  keep(parts: readonly Uint8Array[]): KeptMedia | undefined {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const needed = Math.ceil(length / BLOCK_BYTES)
    if (needed - this.#free.length > this.#limitBlocks - this.#count) return undefined
    const blocks = Array.from({ length: needed }, () => this.#free.pop() ?? this.#allocate())
    fill(blocks, parts)
    return new SentMedia(blocks, length, this.#clock, (areReusable) => {
      if (areReusable) this.#free.push(...blocks)
      else this.#count -= blocks.length
    })
  }

  #allocate(): Buffer {
    this.#count++
    return Buffer.allocUnsafeSlow(BLOCK_BYTES)
  }
}

class SentMedia implements KeptMedia {
  readonly length: number
  readonly #blocks: readonly Buffer[]
  readonly #clock: Pick<Clock, 'after'>
  readonly #onUnused: (areReusable: boolean) => void
  /** The output, and everything that is being sent. */
  #users = 1
  #isReleased = false
  /** A stream was cut: the system may still read what it was given. */
  #wasCut = false

  constructor(
    blocks: readonly Buffer[],
    length: number,
    clock: Pick<Clock, 'after'>,
    onUnused: (areReusable: boolean) => void,
  ) {
    this.length = length
    this.#blocks = blocks
    this.#clock = clock
    this.#onUnused = onUnused
  }

  async sendTo(stream: Writable, { session, from = 0, to = this.length }: SendOptions = {}): Promise<boolean> {
    if (this.#users === 0) throw new Error('media was sent after it had been released')
    this.#users++
    let isSent = true
    for (let at = from; at < to && isSent;) {
      const end = Math.min(to, (Math.floor(at / BLOCK_BYTES) + 1) * BLOCK_BYTES)
      const inBlock = at % BLOCK_BYTES
      const piece = this.#blocks[Math.floor(at / BLOCK_BYTES)]!.subarray(inBlock, inBlock + end - at)
      isSent = await writePiece(stream, piece, this.#clock)
      if (isSent) session?.sent(piece.length)
      at = end
    }
    this.#wasCut ||= !isSent
    this.#leave()
    return isSent
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#leave()
  }

  #leave(): void {
    if (--this.#users === 0) this.#onUnused(!this.#wasCut)
  }
}

/** True when the stream has passed the piece on; false if it was closed before, or took nothing for too long. */
function writePiece(stream: Writable, piece: Buffer, clock: Pick<Clock, 'after'>): Promise<boolean> {
  if (stream.destroyed || stream.writableEnded) return Promise.resolve(false)
  return new Promise((resolve) => {
    const settle = (isSent: boolean): void => {
      stalled[Symbol.dispose]()
      stream.off('close', onClose)
      resolve(isSent)
    }
    const onClose = (): void => settle(false)
    const stalled = clock.after(STALL_MS, () => {
      stream.destroy()
      settle(false)
    })
    stream.once('close', onClose)
    stream.write(piece, (error) => settle(error === null || error === undefined))
  })
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
