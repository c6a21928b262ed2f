// The last seconds of a stream, copied into blocks that are used again: chunks that live this long would make V8 collect
// its whole heap every few seconds. Bounded in time and bytes; what is being written to a disk stays as it is meanwhile.
import { SpliceTracker } from '@millrace/media/mpegts'
import type { AnyChunk } from '../../plugin/contract.js'

const BLOCK_BYTES = 256 * 1024
/** Blocks that wait for the next chunk: one goes as another one comes. */
const MOST_FREE = 2

type SplicePoint = ReturnType<SpliceTracker['point']>

interface Block {
  readonly buffer: Uint8Array
  used: number
  readonly firstMs: number
  lastMs: number
  /** The stream before its first chunk. */
  readonly start: SplicePoint
  /** Nothing is added any more. */
  isClosed: boolean
  isEvicted: boolean
  /** Recordings that hold it. */
  holds: number
}

/** A part of the stream that stays as it is until it is disposed. */
export interface HeldStream extends Disposable {
  /** PAT, CAT and PMTs in force at its beginning. */
  readonly preamble: Uint8Array
  /** In order; each is whole packets. */
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
  readonly durationMs: number
}

export interface RingLimits {
  readonly keepMs: number
  readonly maxBytes: number
}

export class ChunkRing {
  limits: RingLimits
  readonly #tracker = new SpliceTracker()
  readonly #blocks: Block[] = []
  readonly #free: Uint8Array[] = []
  #bytes = 0

  constructor(limits: RingLimits) {
    this.limits = limits
  }

  /** Memory of what is kept. */
  get allocatedBytes(): number {
    return this.#bytes
  }

  /** From the first chunk that is kept to the last one. */
  get durationMs(): number {
    return Math.max(0, (this.#blocks.at(-1)?.lastMs ?? 0) - (this.#blocks[0]?.firstMs ?? 0))
  }

  /** Called in the data path. Never throws. */
  push(chunk: AnyChunk): void {
    const { bytes, receivedAtMs } = chunk
    const last = this.#blocks.at(-1)
    const hasRoom = last !== undefined && !last.isClosed && last.used + bytes.length <= last.buffer.length
    const block = hasRoom ? last : this.#open(chunk)
    block.buffer.set(bytes, block.used)
    block.used += bytes.length
    block.lastMs = receivedAtMs
    this.#tracker.follow(chunk)
  }

  /** What is kept now. The ring goes on in other blocks. */
  hold(): HeldStream {
    const blocks = this.#blocks.filter(({ used }) => used > 0)
    for (const block of blocks) {
      block.isClosed = true
      block.holds++
    }
    const [first] = blocks
    let isHeld = true
    return {
      preamble: first?.start.preamble() ?? new Uint8Array(0),
      pieces: blocks.map(({ buffer, used }) => buffer.subarray(0, used)),
      bytes: blocks.reduce((sum, { used }) => sum + used, 0),
      durationMs: Math.max(0, (blocks.at(-1)?.lastMs ?? 0) - (first?.firstMs ?? 0)),
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        for (const block of blocks) {
          block.holds--
          this.#reuse(block)
        }
      },
    }
  }

  #open(chunk: AnyChunk): Block {
    const length = Math.max(BLOCK_BYTES, chunk.bytes.length)
    this.#evict(chunk.receivedAtMs, length)
    const free = length === BLOCK_BYTES ? this.#free.pop() : undefined
    const block: Block = {
      // Not from the shared pool of small buffers.
      buffer: free ?? new Uint8Array(length),
      used: 0,
      firstMs: chunk.receivedAtMs,
      lastMs: chunk.receivedAtMs,
      start: this.#tracker.point(chunk),
      isClosed: false,
      isEvicted: false,
      holds: 0,
    }
    this.#bytes += length
    this.#blocks.push(block)
    return block
  }

  /** Makes room for a block, and drops those of which everything is older than `keepMs`. */
  #evict(nowMs: number, length: number): void {
    const { keepMs, maxBytes } = this.limits
    for (let [oldest] = this.#blocks; oldest !== undefined; [oldest] = this.#blocks) {
      const isOld = nowMs - oldest.lastMs > keepMs
      if (!isOld && this.#bytes + length <= maxBytes) return
      this.#blocks.shift()
      this.#bytes -= oldest.buffer.length
      oldest.isEvicted = true
      this.#reuse(oldest)
    }
  }

  #reuse({ buffer, isEvicted, holds }: Block): void {
    if (!isEvicted || holds > 0 || buffer.length !== BLOCK_BYTES) return
    if (this.#free.length < MOST_FREE) this.#free.push(buffer)
  }
}
