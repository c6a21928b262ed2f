// A port over a socket of Node.js, TLS or not.
import type { Duplex } from 'node:stream'
import type { OpenPort, PortCallbacks, StreamPort } from './stream-port.js'

/** Wraps a callback of the event loop. */
type Guard = <T extends unknown[]>(run: (...given: T) => void) => (...given: T) => void

/** The socket is connected. Its listeners are removed when the port is destroyed; errors stay ignored. */
export function duplexPort(socket: Duplex, guard: Guard = (run) => run): OpenPort {
  return (callbacks) => new DuplexPort(socket, callbacks, guard)
}

class DuplexPort implements StreamPort {
  readonly #socket: Duplex
  readonly #listeners: readonly (readonly [event: string, listen: (...given: never[]) => void])[]
  #error: Error | undefined
  #isCorked = false
  #isOver = false

  constructor(socket: Duplex, callbacks: PortCallbacks, guard: Guard) {
    this.#socket = socket
    const close = guard(() => {
      if (this.#isOver) return
      this.#isOver = true
      callbacks.onClose(this.#error)
    })
    this.#listeners = [
      ['data', guard((bytes: Uint8Array) => callbacks.onBytes(bytes))],
      ['drain', guard(() => callbacks.onDrain())],
      ['error', (error: Error) => void (this.#error = error)],
      ['end', close],
      ['close', close],
    ]
    for (const [event, listen] of this.#listeners) socket.on(event, listen as () => void)
    if (socket.destroyed) queueMicrotask(close)
  }

  /** What is written in one turn of the event loop goes out in one call of the system. */
  write(bytes: Uint8Array): boolean {
    const socket = this.#socket
    if (this.#isOver || socket.destroyed || socket.writableEnded) return true
    if (!this.#isCorked) {
      this.#isCorked = true
      socket.cork()
      process.nextTick(() => {
        this.#isCorked = false
        socket.uncork()
      })
    }
    return socket.write(bytes)
  }

  end(): void {
    if (!this.#socket.destroyed) this.#socket.end()
  }

  destroy(): void {
    this.#isOver = true
    for (const [event, listen] of this.#listeners) this.#socket.off(event, listen as () => void)
    this.#socket.on('error', () => {})
    this.#socket.destroy()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }
}
