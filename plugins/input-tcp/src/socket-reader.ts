// Reads a stream from a socket until it ends, breaks or falls silent; says once how it was.
import type { Duplex } from 'node:stream'
import { cutText } from '@millrace/engine/plugin'
import type { Clock, EngineError, NodeContext } from '@millrace/engine/plugin'
import type { ReadingTurns, TurnTaker } from './reading-turns.js'
import { StallWatch } from './stall-watch.js'
import { tcpError } from './tcp-errors.js'

export interface SocketReaderParts {
  readonly clock: Clock
  readonly guard: NodeContext['guard']
  /** Read at each check. */
  readonly readTimeoutMs: () => number
  /** Shared with the other connections of the input. */
  readonly turns: ReadingTurns
  /** The array is valid only during the call. */
  onBytes(bytes: Uint8Array): void
  /** The sender has ended its stream. The last callback. */
  onEnd(): void
  /** TCP_SILENT or TCP_BROKEN. The last callback; the socket is closed. */
  onFailure(error: EngineError): void
}

const MAX_REASON_LENGTH = 200
const PACKET_BYTES = 188

export class SocketReader implements Disposable, TurnTaker {
  readonly #socket: Duplex
  readonly #parts: SocketReaderParts
  readonly #stalls: StallWatch
  readonly #listeners: readonly (readonly [event: string, listen: (...given: never[]) => void])[]
  #isOver = false
  #isHeld = false
  #cause: Error | undefined

  constructor(socket: Duplex, parts: SocketReaderParts) {
    const { clock, guard, readTimeoutMs } = parts
    this.#socket = socket
    this.#parts = parts
    this.#stalls = new StallWatch(clock, readTimeoutMs, (fault) => this.#noteStall(fault))
    this.#listeners = [
      ['data', guard((bytes: Uint8Array) => this.#push(bytes))],
      ['end', guard(() => this.#end())],
      ['error', guard((error: Error) => void (this.#cause = error))],
      ['close', guard(() => this.#broken())],
    ]
    for (const [event, listen] of this.#listeners) socket.on(event, listen as () => void)
    if (socket.closed) this.#broken()
    else socket.resume()
  }

  /** Reads nothing until the hold is disposed. */
  hold(): Disposable {
    this.#isHeld = true
    this.#stalls.isPaused = true
    this.#socket.pause()
    return {
      [Symbol.dispose]: () => {
        this.#isHeld = false
        this.#stalls.isPaused = false
        if (!this.#parts.turns.isResting(this)) this.resume()
      },
    }
  }

  /** Until its turn comes. */
  pause(): void {
    if (this.#isOver) this.#parts.turns.leave(this)
    else this.#socket.pause()
  }

  resume(): void {
    if (!this.#isOver && !this.#isHeld) this.#socket.resume()
  }

  /** No callback is called from here on; the socket stays. Safe twice. */
  [Symbol.dispose](): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#parts.turns.leave(this)
    this.#stalls[Symbol.dispose]()
    for (const [event, listen] of this.#listeners) this.#socket.off(event, listen as () => void)
    this.#socket.pause()
  }

  #push(bytes: Uint8Array): void {
    if (this.#isOver) return
    const { turns, onBytes } = this.#parts
    this.#stalls.note(bytes.length)
    turns.spend(this, bytes.length, () => onBytes(bytes))
  }

  #noteStall(fault: string): void {
    // Bytes are there: it is the reader that waits.
    if (this.#parts.turns.isResting(this)) this.#stalls.note(PACKET_BYTES)
    else this.#fail(tcpError('TCP_SILENT', fault))
  }

  #end(): void {
    if (this.#isOver) return
    this[Symbol.dispose]()
    this.#parts.onEnd()
  }

  #broken(): void {
    const { message = 'it was closed' } = this.#cause ?? {}
    const more = this.#cause === undefined ? {} : { cause: this.#cause }
    this.#fail(tcpError('TCP_BROKEN', `the connection is lost: ${cutText(message, MAX_REASON_LENGTH)}`, more))
  }

  #fail(error: EngineError): void {
    if (this.#isOver) return
    this[Symbol.dispose]()
    this.#socket.destroy()
    this.#parts.onFailure(error)
  }
}
