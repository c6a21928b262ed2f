// The memory of a window: blocks that are filled one after the other with the bytes of entries, and filled anew when the
// window has dropped everything that is in them. Were each entry memory of its own, the collector would have to free a
// window's worth of it again and again, and go through the whole heap each time. A socket may hold bytes long after the
// window has dropped them, so a block is not touched while anybody does.

/** A block is at most this part of what the window holds: little of it is empty, and little is dropped with it. */
const PARTS = 32
/** Who holds one byte of a block keeps all of it alive. */
const BLOCK_BYTES = 128 * 1024
/** Large entries get a block for so many of them, so that not much is left over at its end. */
const LARGE_ENTRIES = 4
/** Entries of one rate differ by a packet or two: a block has room for a whole number of those that are a little longer. */
const SLACK = 1 + 1 / 64
/** Blocks that wait to be filled anew. */
const MAX_IDLE = 2

/** Whether any socket may still hold bytes of the stream from `from` on and before `to`, which the window has dropped. */
export type IsHeld = (from: number, to: number) => boolean

interface Block {
  readonly memory: Buffer
  /** So many bytes of it are taken. */
  filled: number
  /** Of the stream: it holds what is from here on and before `to`. */
  from: number
  to: number
  /** Somebody may hold it of whom `IsHeld` does not know. */
  isReusable: boolean
}

export class WindowMemory {
  readonly #isHeld: IsHeld
  /** Oldest first; the last one is being filled. */
  readonly #live: Block[] = []
  /** Of which the window has dropped everything, oldest first; somebody may hold them. */
  readonly #idle: Block[] = []
  #liveBytes = 0
  #idleBytes = 0

  constructor(isHeld: IsHeld) {
    this.#isHeld = isHeld
  }

  /** Of all blocks. */
  get bytes(): number {
    return this.#liveBytes + this.#idleBytes
  }

  /** Of the blocks that hold what is in the window. */
  get liveBytes(): number {
    return this.#liveBytes
  }

  /** So many more bytes, of fresh memory, will be live when an entry of this length has been kept. */
  neededFor(length: number): number {
    return this.#hasRoomFor(length) ? 0 : this.#sizeFor(length)
  }

  /** Copies the bytes, which begin at this byte of the stream. */
  keep(bytes: Uint8Array, offset: number): Buffer {
    const block = this.#hasRoomFor(bytes.length) ? this.#live.at(-1)! : this.#open(bytes.length, offset)
    const kept = block.memory.subarray(block.filled, block.filled + bytes.length)
    kept.set(bytes)
    block.filled += bytes.length
    block.to = offset + bytes.length
    return kept
  }

  /** The window begins at this byte of the stream now. */
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

  /** Blocks that are not live are kept only as far as all together have this size at most. */
  limit(bytes: number): void {
    while (this.bytes > bytes && this.#idle.length > 0) this.#shiftIdle()
  }

  /** What is here now is never overwritten: somebody may hold it for whom nobody can be asked. */
  forbidReuse(): void {
    for (const block of this.#live) block.isReusable = false
    while (this.#idle.length > 0) this.#shiftIdle()
  }

  /** A block that is far too large by now, as the stream has become slow, is left as it is. */
  #hasRoomFor(length: number): boolean {
    const last = this.#live.at(-1)
    if (last === undefined || last.memory.length - last.filled < length) return false
    return last.memory.length <= 4 * this.#sizeFor(length)
  }

  #sizeFor(length: number): number {
    const streamBytes = (this.#live.at(-1)?.to ?? 0) - (this.#live[0]?.from ?? 0)
    const most = Math.max(BLOCK_BYTES, length * LARGE_ENTRIES)
    const entries = Math.floor(Math.min(streamBytes / PARTS, most) / Math.max(length, 1))
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
   * Memory that nobody holds. What somebody holds is left to them, and nobody is asked for it again. Windows breathe:
   * another size is as good if it is near.
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
