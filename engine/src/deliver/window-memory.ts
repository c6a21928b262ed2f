// The memory of a window: blocks that are filled one after the other with the bytes of entries, and reused when the
// window has dropped everything in them. If each entry had its own memory, the garbage collector would have to free a
// window's worth again and again, scanning the whole heap each time. A socket may hold bytes long after the window has
// dropped them, so a block is not reused while any socket holds part of it.

/** A block is at most 1/BLOCKS_PER_WINDOW of the window: little of it is unused, and little is dropped with it. */
const BLOCKS_PER_WINDOW = 32
/** Upper bound unless entries are large: holding one byte of a block keeps all of it alive. */
const BLOCK_BYTES = 128 * 1024
/** Large entries share a block of this many, so that little is left over at its end. */
const LARGE_ENTRIES = 4
/** Entries at one bitrate differ by a packet or two: a block has room for a whole number of slightly longer ones. */
const SLACK = 1 + 1 / 64
/** Blocks that wait for reuse. */
const MAX_IDLE = 2

/** Whether any socket may still hold stream bytes from `from` up to `to` (exclusive), which the window has dropped. */
export type IsHeld = (from: number, to: number) => boolean

interface Block {
  readonly memory: Buffer
  /** Bytes used. */
  filled: number
  /** Stream offset of its first byte; `to` is the offset after its last one. */
  from: number
  to: number
  /** False if it may be held by something that `IsHeld` does not know of. */
  isReusable: boolean
}

export class WindowMemory {
  readonly #isHeld: IsHeld
  /** Oldest first; the last one is being filled. */
  readonly #live: Block[] = []
  /** Blocks of which the window has dropped everything, oldest first; sockets may still hold them. */
  readonly #idle: Block[] = []
  #liveBytes = 0
  #idleBytes = 0

  constructor(isHeld: IsHeld) {
    this.#isHeld = isHeld
  }

  /** Size of all blocks. */
  get bytes(): number {
    return this.#liveBytes + this.#idleBytes
  }

  /** Size of the blocks that hold entries of the window. */
  get liveBytes(): number {
    return this.#liveBytes
  }

  /** Bytes of new memory that will become live when an entry of this length is kept. */
  neededFor(length: number): number {
    return this.#hasRoomFor(length) ? 0 : this.#sizeFor(length)
  }

  /** Copies the bytes, which start at this stream offset. */
  keep(bytes: Uint8Array, offset: number): Buffer {
    const block = this.#hasRoomFor(bytes.length) ? this.#live.at(-1)! : this.#open(bytes.length, offset)
    const kept = block.memory.subarray(block.filled, block.filled + bytes.length)
    kept.set(bytes)
    block.filled += bytes.length
    block.to = offset + bytes.length
    return kept
  }

  /** The window now starts at this stream offset. */
  dropBefore(offset: number): void {
    for (let block = this.#live[0]; block !== undefined && block.to <= offset; block = this.#live[0]) {
      this.#live.shift()
      this.#liveBytes -= block.memory.length
      if (!block.isReusable) continue
      this.#idle.push(block)
      this.#idleBytes += block.memory.length
      if (this.#idle.length > MAX_IDLE) this.#shiftIdle()
    }
  }

  /** Frees idle blocks until all blocks together have at most this size. */
  limit(bytes: number): void {
    while (this.bytes > bytes && this.#idle.length > 0) this.#shiftIdle()
  }

  /** The bytes here now are never overwritten: something that `IsHeld` does not know of may hold them. */
  forbidReuse(): void {
    for (const block of this.#live) block.isReusable = false
    while (this.#idle.length > 0) this.#shiftIdle()
  }

  /** False also for a block that has become far too large because the stream has slowed down. */
  #hasRoomFor(length: number): boolean {
    const last = this.#live.at(-1)
    if (last === undefined || last.memory.length - last.filled < length) return false
    return last.memory.length <= 4 * this.#sizeFor(length)
  }

  #sizeFor(length: number): number {
    const streamBytes = (this.#live.at(-1)?.to ?? 0) - (this.#live[0]?.from ?? 0)
    const most = Math.max(BLOCK_BYTES, length * LARGE_ENTRIES)
    const entries = Math.floor(Math.min(streamBytes / BLOCKS_PER_WINDOW, most) / Math.max(length, 1))
    return entries <= 1 ? length : Math.ceil(entries * length * SLACK)
  }

  #open(length: number, offset: number): Block {
    const size = this.#sizeFor(length)
    const memory = this.#takeIdle(length, size) ?? Buffer.allocUnsafeSlow(size)
    const block = { memory, filled: 0, from: offset, to: offset, isReusable: true }
    this.#live.push(block)
    this.#liveBytes += memory.length
    return block
  }

  /**
   * Memory that nothing holds. Held blocks are left to their holders and not checked again. Window sizes vary a little:
   * a block of a similar size is good enough.
   */
  #takeIdle(length: number, size: number): Buffer | undefined {
    for (let block = this.#shiftIdle(); block !== undefined; block = this.#shiftIdle()) {
      const { memory, from, to } = block
      const isFit = memory.length >= Math.max(length, size / 2) && memory.length <= 2 * size
      if (isFit && !this.#isHeld(from, to)) return memory
    }
    return undefined
  }

  #shiftIdle(): Block | undefined {
    const block = this.#idle.shift()
    this.#idleBytes -= block?.memory.length ?? 0
    return block
  }
}
