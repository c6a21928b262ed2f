// One attempt to receive a stream from a sender: connects, then passes its bytes on, and reports once why it ended.
import { isEngineError, parseSocketAddress } from '@millrace/engine/plugin'
import type { Clock, EngineError, Sockets, StreamSocket, TlsTarget } from '@millrace/engine/plugin'
import { StallWatch } from './stall-watch.js'
import { tcpError, type TcpErrorCode } from './tcp-errors.js'

export interface TcpAttemptSettings {
  /** `host:port`. */
  readonly target: string
  readonly tls: TlsTarget | undefined
  readonly keepAliveMs: number
  /** In milliseconds; read each time they are needed. */
  readonly timeouts: () => { readonly connect: number; readonly read: number }
  readonly clock: Clock
  readonly sockets: Pick<Sockets, 'connect'>
  /** Called once, when the connection is there, TLS included. */
  onConnected(): void
  /** The array is valid only during the call. */
  onBytes(bytes: Uint8Array): void
  /** Called at most once, as the last callback, and never after `close`. */
  onFailure(error: EngineError): void
}

/** Before there is a connection. By default TCP_CONNECT. */
const CODES: Readonly<Record<string, TcpErrorCode>> = { SOCKET_TIMEOUT: 'TCP_TIMEOUT', SOCKET_TLS: 'TCP_TLS' }

export class TcpAttempt {
  readonly #settings: TcpAttemptSettings
  #socket: StreamSocket | undefined
  /** Once it is connected. */
  #stalls: StallWatch | undefined
  #isOver = false

  constructor(settings: TcpAttemptSettings) {
    this.#settings = settings
  }

  start(): void {
    const { target, tls, keepAliveMs, sockets, timeouts, onBytes } = this.#settings
    const secure = tls === undefined ? {} : { tls }
    const to = {
      ...parseSocketAddress(target),
      ...secure,
      keepAliveMs,
      timeoutMs: timeouts().connect,
      sharesBuffer: true,
    }
    try {
      this.#socket = sockets.connect(to, {
        onConnect: () => this.#connected(),
        onBytes: (bytes) => {
          this.#stalls?.note(bytes.length)
          onBytes(bytes)
        },
        onClose: (error) => this.#closed(error),
      })
    } catch (error) {
      this.#closed(error)
    }
  }

  /** Reads nothing until the pause is disposed; undefined while it is not connected. */
  pause(): Disposable | undefined {
    const stalls = this.#stalls
    if (stalls === undefined) return undefined
    stalls.isPaused = true
    const hold = this.#socket?.hold()
    return {
      [Symbol.dispose]: () => {
        stalls.isPaused = false
        hold?.[Symbol.dispose]()
      },
    }
  }

  /** What it sends is of no use. */
  giveUp(why: string): void {
    this.#fail(tcpError('TCP_NO_PACKETS', why))
  }

  /** No callback is called from here on. Resolves when its socket has closed. Safe twice. */
  async close(): Promise<void> {
    this.#isOver = true
    this.#stalls?.[Symbol.dispose]()
    await this.#socket?.[Symbol.asyncDispose]()
  }

  #connected(): void {
    const { clock, timeouts, onConnected } = this.#settings
    this.#stalls = new StallWatch(
      clock,
      () => timeouts().read,
      (fault) => this.#fail(tcpError('TCP_SILENT', fault)),
    )
    onConnected()
  }

  #closed(error: unknown): void {
    const reason = error === undefined ? 'the connection was closed' : this.#reasonOf(error)
    const more = error === undefined ? {} : { cause: error }
    if (this.#stalls === undefined) {
      const code = isEngineError(error) ? CODES[error.code] : undefined
      return this.#fail(tcpError(code ?? 'TCP_CONNECT', reason, more))
    }
    if (error === undefined) this.#fail(tcpError('TCP_ENDED', 'the stream ended'))
    else this.#fail(tcpError('TCP_BROKEN', `the connection is lost: ${reason}`, more))
  }

  /** Without the target: the input names it. */
  #reasonOf(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error)
    const place = `${this.#settings.target}: `
    return message.startsWith(place) ? message.slice(place.length) : message
  }

  #fail(error: EngineError): void {
    if (this.#isOver) return
    void this.close()
    this.#settings.onFailure(error)
  }
}
