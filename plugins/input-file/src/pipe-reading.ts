// Reads a pipe as fast as it is let: stdin to its end, or a FIFO, whose writers come and go, for ever. The event loop waits
// for the bytes (pipe(7), fifo(7)): a blocking read would take a thread from a pool that everybody shares.
import { close, constants, fstatSync, open } from 'node:fs'
import { Socket } from 'node:net'
import { promisify } from 'node:util'
import type { NodeContext, Received } from '@millrace/engine/plugin'
import { unreadable } from './file-errors.js'
import { STDIN, STDIN_DESCRIPTOR } from './file-kind.js'

export interface PipeSettings {
  /** Of a FIFO, or `-`. */
  readonly path: string
  /** Of the node's context. */
  readonly guard: NodeContext['guard']
  /** Called when the pipe is open, for each opening, writer or not. */
  onOpen(): void
  /** Called when the last writer of a FIFO has closed it. */
  onWriterGone(): void
  /** The bytes are valid during the call. */
  onBytes(received: Received): void
}

const openDescriptor = promisify(open)
const closeDescriptor = promisify(close)

export class PipeReading {
  readonly #settings: PipeSettings
  #isCancelled = false
  #holds = 0
  #socket: Socket | undefined

  constructor(settings: PipeSettings) {
    this.#settings = settings
  }

  /** Resolves at the end of stdin (never, for a FIFO) or after `cancel`. Rejects with FILE_UNREADABLE. */
  async play(): Promise<void> {
    const { path, onOpen } = this.#settings
    if (path !== STDIN) return this.#playFifo()
    // Descriptors of stdio stay open when their socket is closed (libuv), so that 0 never becomes something else.
    const reading = this.#readToEnd(STDIN_DESCRIPTOR)
    onOpen()
    await reading
  }

  /** Nothing is handed over from here on. */
  cancel(): void {
    this.#isCancelled = true
    this.#socket?.destroy()
  }

  /** While it is held the pipe fills, and its writer waits. */
  hold(): Disposable {
    let isHeld = true
    this.#holds++
    this.#socket?.pause()
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        if (--this.#holds === 0) this.#socket?.resume()
      },
    }
  }

  // A FIFO whose last writer has gone says "end" until it is opened anew. A second descriptor, which is never read, bridges
  // the moment between the two: the next writer finds a reader, and what it has written is kept.
  async #playFifo(): Promise<void> {
    const { path, onOpen, onWriterGone, onBytes } = this.#settings
    let bridge: number | undefined
    try {
      while (!this.#isCancelled) {
        const descriptor = await openFifo(path)
        let next: number
        try {
          next = await openFifo(path)
        } catch (error) {
          await closeDescriptor(descriptor)
          throw error
        }
        if (bridge !== undefined) await closeDescriptor(bridge)
        bridge = next
        const reading = this.#readToEnd(descriptor)
        if (!this.#isCancelled) onOpen()
        await reading
        if (this.#isCancelled) return
        onBytes({ boundary: true, timeline: 'elapsed' })
        onWriterGone()
      }
    } finally {
      if (bridge !== undefined) await closeDescriptor(bridge)
    }
  }

  /** Owns the descriptor from here on. Resolves when it is at its end, or cancelled, and closed. */
  #readToEnd(fd: number): Promise<void> {
    const socket = new Socket({ fd, readable: true, writable: false })
    this.#socket = socket
    // Who is paused before anybody listens does not begin to flow.
    if (this.#holds > 0) socket.pause()
    if (this.#isCancelled) socket.destroy()
    const { path, onBytes, guard } = this.#settings
    const take = guard((bytes: Uint8Array) => {
      if (!this.#isCancelled) onBytes(bytes)
    })
    socket.on('data', take)
    return new Promise((resolve, reject) => {
      const fail = guard((error: Error) => reject(unreadable(path, error)))
      socket.once('error', fail)
      socket.once(
        'close',
        guard(() => resolve()),
      )
    })
  }
}

/** Never waits for a writer. */
async function openFifo(path: string): Promise<number> {
  let descriptor: number
  try {
    descriptor = await openDescriptor(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw unreadable(path, error)
  }
  if (fstatSync(descriptor).isFIFO()) return descriptor
  await closeDescriptor(descriptor)
  throw unreadable(path, 'is no longer a pipe')
}
