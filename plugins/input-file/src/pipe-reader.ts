// Reads a pipe as fast as it is allowed to: stdin to its end, or a FIFO, whose writers can change, forever. The event
// loop waits for the bytes (pipe(7), fifo(7)): a blocking read would occupy a thread of the shared pool.
import { close, constants, fstatSync, open } from 'node:fs'
import { Socket } from 'node:net'
import { promisify } from 'node:util'
import type { NodeContext, Boundary } from '@millrace/engine/plugin'
import { unreadable } from './file-errors.js'
import { STDIN, STDIN_DESCRIPTOR } from './file-kind.js'

export interface PipeReaderSettings {
  /** Of a FIFO, or `-`. */
  readonly path: string
  /** Of the node's context. */
  readonly guard: NodeContext['guard']
  /** Called each time the pipe has been opened, with or without a writer. */
  onOpen(): void
  /** Called when the last writer of a FIFO has closed it. */
  onWriterGone(): void
  /** The bytes are valid only during the call. */
  onBytes(received: Uint8Array | Boundary): void
}

const openDescriptor = promisify(open)
const closeDescriptor = promisify(close)

export class PipeReader {
  readonly #settings: PipeReaderSettings
  #isCancelled = false
  #holds = 0
  #socket: Socket | undefined

  constructor(settings: PipeReaderSettings) {
    this.#settings = settings
  }

  /** Resolves at the end of stdin (never, for a FIFO) or after `cancel`. Rejects with FILE_UNREADABLE. */
  async run(): Promise<void> {
    const { path, onOpen } = this.#settings
    if (path !== STDIN) return this.#readFifo()
    // Stdio descriptors stay open when their socket is closed (libuv), so descriptor 0 is never reused.
    const reading = this.#readToEnd(STDIN_DESCRIPTOR)
    onOpen()
    await reading
  }

  /** Nothing is handed over from here on. */
  cancel(): void {
    this.#isCancelled = true
    this.#socket?.destroy()
  }

  /** While held, the pipe fills and its writer waits. */
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

  // A FIFO whose last writer has left reports its end until it is reopened. A second descriptor, which is never read,
  // stays open in between: the next writer finds a reader, and the bytes it writes are kept.
  async #readFifo(): Promise<void> {
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

  /** Takes over the descriptor. Resolves when it has reached its end, or was cancelled, and has been closed. */
  #readToEnd(fd: number): Promise<void> {
    const socket = new Socket({ fd, readable: true, writable: false })
    this.#socket = socket
    // A socket that is paused before a listener is added does not start to flow.
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
