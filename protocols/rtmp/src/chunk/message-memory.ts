// Memory for messages that come in several chunks. It grows with what has arrived, never with what a header announces, and
// its sum is bounded. One block is kept for the next message.

export interface MemoryUser {
  memory: Uint8Array | undefined
  received: number
  readonly length: number
}

const FIRST_BYTES = 4096
/** A larger block is not kept: a message of this size is rare. */
const MOST_KEPT_BYTES = 1024 * 1024

export class MessageMemory {
  /** Of all messages that are unfinished, in bytes. */
  limit: number
  #held = 0
  #spare: Uint8Array | undefined

  constructor(limit: number) {
    this.limit = limit
  }

  /** Without the block that is kept. */
  get heldBytes(): number {
    return this.#held
  }

  /** False if the bound would be passed. */
  append(user: MemoryUser, piece: Uint8Array): boolean {
    const needed = user.received + piece.length
    if (user.memory === undefined || user.memory.length < needed) {
      if (!this.#grow(user, needed)) return false
    }
    user.memory!.set(piece, user.received)
    user.received = needed
    return true
  }

  release(user: MemoryUser): void {
    const { memory } = user
    if (memory === undefined) return
    user.memory = undefined
    this.#held -= memory.length
    if (memory.length <= MOST_KEPT_BYTES && memory.length > (this.#spare?.length ?? 0)) this.#spare = memory
  }

  clear(): void {
    this.#held = 0
    this.#spare = undefined
  }

  #grow(user: MemoryUser, needed: number): boolean {
    const old = user.memory
    const memory = this.#take(user, needed)
    const held = this.#held - (old?.length ?? 0) + memory.length
    if (held > this.limit) return false
    if (old !== undefined) memory.set(old.subarray(0, user.received))
    user.memory = memory
    this.#held = held
    return true
  }

  #take(user: MemoryUser, needed: number): Uint8Array {
    const spare = this.#spare
    if (spare !== undefined && spare.length >= needed) {
      this.#spare = undefined
      return spare
    }
    const doubled = Math.max(2 * (user.memory?.length ?? 0), needed, FIRST_BYTES)
    return new Uint8Array(Math.max(needed, Math.min(doubled, user.length)))
  }
}
