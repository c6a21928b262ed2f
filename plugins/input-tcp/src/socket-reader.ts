// Reads a stream from a socket until it ends, breaks or falls silent; says once how it was.
import type { Duplex } from 'node:stream'
import { StallDetector } from '@millrace/engine/plugin'
import type { Clock, EngineError, NodeContext } from '@millrace/engine/plugin'
import { tcpError } from './tcp-errors.js'

export interface SocketReaderParts {
  readonly clock: Clock
  readonly guard: NodeContext['guard']
  /** Read at each check. */
  readonly readTimeoutMs: () => number
  /** The array is valid only during the call. */
  onBytes(bytes: Uint8Array): void
  /** The sender has ended its stream. The last callback. */
  onEnd(): void
  /** TCP_SILENT or TCP_BROKEN. The last callback; the socket is closed. */
  onFailure(error: EngineError): void
}

const MAX_CHECK_PERIOD_MS = 250
const MIN_CHECK_PERIOD_MS = 10
const MAX_REASON_LENGTH = 200

export class SocketReader implements Disposable {
  readonly #socket: Duplex
  readonly #parts: SocketReaderParts
  readonly #stalls: StallDetector
  readonly #timer: Disposable
  readonly #periodMs: number
  readonly #listeners: readonly (readonly [event: string, listen: (...given: never[]) => void])[]
  #isOver = false
  #cause: Error | undefined

  /** `takesBytes`: bytes do not come as events, but through `push`. */
  constructor(socket: Duplex, parts: SocketReaderParts, takesBytes = false) {
    const { clock, guard, readTimeoutMs } = parts
    this.#socket = socket
    this.#parts = parts
    this.#stalls = new StallDetector(readTimeoutMs, clock.nowMs())
    this.#periodMs = Math.max(MIN_CHECK_PERIOD_MS, Math.min(MAX_CHECK_PERIOD_MS, readTimeoutMs() / 4))
    this.#timer = clock.every(this.#periodMs, () => this.#check())
    this.#listeners = [
      ...(takesBytes ? [] : ([['data', guard((bytes: Uint8Array) => this.push(bytes))]] as const)),
      ['end', guard(() => this.#end())],
      ['error', guard((error: Error) => void (this.#cause = error))],
      ['close', guard(() => this.#broken())],
    ]
    for (const [event, listen] of this.#listeners) socket.on(event, listen as () => void)
    if (socket.closed) this.#broken()
    else if (!takesBytes) socket.resume()
  }

  /** Bytes have arrived. */
  push(bytes: Uint8Array): void {
    if (this.#isOver) return
    this.#stalls.note(bytes.length, this.#parts.clock.nowMs())
    this.#parts.onBytes(bytes)
  }

  /** No callback is called from here on; the socket stays. Safe twice. */
  [Symbol.dispose](): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer[Symbol.dispose]()
    for (const [event, listen] of this.#listeners) this.#socket.off(event, listen as () => void)
    this.#socket.pause()
  }

  #check(): void {
    const fault = this.#stalls.check(this.#parts.clock.nowMs(), this.#periodMs)
    if (fault !== undefined) this.#fail(tcpError('TCP_SILENT', fault))
  }

  #end(): void {
    if (this.#isOver) return
    this[Symbol.dispose]()
    this.#parts.onEnd()
  }

  #broken(): void {
    const { message = 'it was closed' } = this.#cause ?? {}
    const more = this.#cause === undefined ? {} : { cause: this.#cause }
    this.#fail(tcpError('TCP_BROKEN', `the connection is lost: ${message.slice(0, MAX_REASON_LENGTH)}`, more))
  }

  #fail(error: EngineError): void {
    if (this.#isOver) return
    this[Symbol.dispose]()
    this.#socket.destroy()
    this.#parts.onFailure(error)
  }
}
