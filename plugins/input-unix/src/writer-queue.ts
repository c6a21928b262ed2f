// The writers of a listening socket: one is read, the others wait their turn, unread.
import type { StreamCallbacks, StreamSocket } from '@millrace/engine/plugin'

export interface WriterCallbacks {
  /** A writer is read from now on. */
  onWriter(): void
  onBytes(bytes: Uint8Array): void
  /** The writer has gone, and no other waits. */
  onNone(): void
}

/** Each holds a file descriptor; further ones are refused. */
const MAX_WAITING = 8

interface Writer {
  readonly socket: StreamSocket
  /** Undefined for the one that is read. */
  hold: Disposable | undefined
}

export class WriterQueue {
  readonly #callbacks: WriterCallbacks
  #current: Writer | undefined
  #waiting: Writer[] = []
  /** Holds of the engine. */
  #pauses = 0
  #pause: Disposable | undefined

  constructor(callbacks: WriterCallbacks) {
    this.#callbacks = callbacks
  }

  get hasWriter(): boolean {
    return this.#current !== undefined
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Takes a connection; undefined if it is refused. */
  add(socket: StreamSocket, second: 'wait' | 'replace'): StreamCallbacks | undefined {
    const isFull = this.#waiting.length >= MAX_WAITING
    if (this.#current !== undefined && second === 'wait' && isFull) return undefined
    const writer: Writer = { socket, hold: undefined }
    if (this.#current !== undefined && second === 'wait') {
      writer.hold = socket.hold()
      this.#waiting.push(writer)
    } else {
      this.#current?.socket.destroy()
      this.#read(writer)
    }
    return {
      onBytes: (bytes) => {
        if (writer === this.#current) this.#callbacks.onBytes(bytes)
      },
      onClose: () => this.#remove(writer),
    }
  }

  /** Disconnects the writer that is read; the next one follows. */
  dropCurrent(): void {
    const writer = this.#current
    writer?.socket.destroy()
    if (writer !== undefined) this.#remove(writer)
  }

  hold(): Disposable {
    let isHeld = true
    if (++this.#pauses === 1) this.#pause = this.#current?.socket.hold()
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        if (--this.#pauses > 0) return
        this.#pause?.[Symbol.dispose]()
        this.#pause = undefined
      },
    }
  }

  /** Disconnects all. Resolves when they have closed. */
  async close(): Promise<void> {
    const all = [this.#current, ...this.#waiting].filter((writer) => writer !== undefined)
    this.#current = undefined
    this.#waiting = []
    await Promise.all(all.map(({ socket }) => socket[Symbol.asyncDispose]()))
  }

  #read(writer: Writer): void {
    this.#current = writer
    this.#pause?.[Symbol.dispose]()
    this.#pause = this.#pauses > 0 ? writer.socket.hold() : undefined
    this.#callbacks.onWriter()
    writer.hold?.[Symbol.dispose]()
    writer.hold = undefined
  }

  #remove(writer: Writer): void {
    if (writer !== this.#current) {
      this.#waiting = this.#waiting.filter((each) => each !== writer)
      return
    }
    this.#current = undefined
    const next = this.#waiting.shift()
    if (next === undefined) this.#callbacks.onNone()
    else this.#read(next)
  }
}
