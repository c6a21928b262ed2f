// The memory of a window: blocks that are filled one after the other with the bytes of entries, and filled anew when the
// window has dropped everything that is in them. Were each entry memory of its own, the collector would have to free a
// window's worth of it again and again, and go through the whole heap each time. A socket may hold bytes long after the
// window has dropped them, so a block is not touched while anybody does.

/** A block is this part of what the window holds, so that little is lost at its end, and little is dropped with it. */
const PARTS = 16
const MOST_BLOCK_BYTES = 1024 * 1024
/** Blocks that wait to be filled anew; those beyond are left to the collector, and to whoever holds them. */
const MOST_IDLE = 2

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
  isLent: boolean
}

export class WindowMemory {
  readonly #isHeld: IsHeld
  /** Oldest first; the last one is being filled. */
  readonly #live: Block[] = []
  /** Of which the window has dropped everything, oldest first. */
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

  /** So many more bytes will be live at most when an entry of this length has been kept. */
  neededFor(length: number): number {
    if (this.#hasRoomFor(length)) return 0
    const size = this.#sizeFor(length)
    return this.#idle.reduce((most, block) => (isFit(block, size) ? Math.max(most, block.memory.length) : most), size)
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
      if (block.isLent) continue
      this.#idle.push(block)
      this.#idleBytes += block.memory.length
      if (this.#idle.length > MOST_IDLE) this.#letGo(this.#idle[0]!)
    }
  }

  /** Blocks that wait are kept only as far as all together have this size at most. */
  limit(bytes: number): void {
    while (this.bytes > bytes && this.#idle[0] !== undefined) this.#letGo(this.#idle[0])
  }

  /** What is here now is never overwritten: somebody may hold it for whom nobody can be asked. */
  lend(): void {
    for (const block of this.#live) block.isLent = true
    for (const block of [...this.#idle]) this.#letGo(block)
  }

  /** A block that is far too large by now, as the stream has become slow, is left as it is. */
  #hasRoomFor(length: number): boolean {
    const last = this.#live.at(-1)
    if (last === undefined || last.isLent || last.memory.length - last.filled < length) return false
    return last.memory.length <= 4 * this.#sizeFor(length)
  }

  #sizeFor(length: number): number {
    const streamBytes = (this.#live.at(-1)?.to ?? 0) - (this.#live[0]?.from ?? 0)
    return Math.max(length, Math.min(Math.floor(streamBytes / PARTS), MOST_BLOCK_BYTES))
  }

  #open(length: number, offset: number): Block {
    const size = this.#sizeFor(length)
    const memory = this.#takeIdle(size)?.memory ?? Buffer.allocUnsafeSlow(size)
    const block = { memory, filled: 0, from: offset, to: offset, isLent: false }
    this.#live.push(block)
    this.#liveBytes += memory.length
    return block
  }

  /** One that nobody holds. Those whose size is of no use any more are let go. */
  #takeIdle(size: number): Block | undefined {
    for (const block of [...this.#idle]) {
      if (isFit(block, size) && this.#isHeld(block.from, block.to)) continue
      this.#letGo(block)
      if (isFit(block, size)) return block
    }
    return undefined
  }

  #letGo(block: Block): void {
    this.#idle.splice(this.#idle.indexOf(block), 1)
    this.#idleBytes -= block.memory.length
  }
}

/** Windows breathe: a block of nearly this size is as good. */
function isFit({ memory }: Block, size: number): boolean {
  return memory.length >= size && memory.length <= 2 * size
}
