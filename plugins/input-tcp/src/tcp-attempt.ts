// One attempt to receive a stream from a sender: connects, then passes its bytes on, and reports once why it ended.
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock, EngineError, NodeContext } from '@millrace/engine/plugin'
import { dial, type DialTls, parseTarget } from './dial.js'
import { SocketReader } from './socket-reader.js'
import { tcpError } from './tcp-errors.js'

export interface TcpAttemptSettings {
  /** `host:port`. */
  readonly target: string
  readonly tls: DialTls | undefined
  readonly keepAliveMs: number
  /** In milliseconds; read each time they are needed. */
  readonly timeouts: () => { readonly connect: number; readonly read: number }
  readonly clock: Clock
  readonly guard: NodeContext['guard']
  /** Called once, when the connection is there, TLS included. */
  onConnected(): void
  /** The array is valid only during the call. */
  onBytes(bytes: Uint8Array): void
  /** Called at most once, as the last callback, and never after `cancel`. */
  onFailure(error: EngineError): void
}

const MAX_REASON_LENGTH = 200

export class TcpAttempt {
  /** Resolves when its socket has closed, which follows a failure or `cancel`. */
  readonly closed: Promise<void>
  readonly #settings: TcpAttemptSettings
  readonly #socket: Socket
  readonly #timer: Disposable
  #reader: SocketReader | undefined
  #isOver = false
  /** TCP is connected, and TLS is being negotiated. */
  #isInHandshake = false

  constructor(settings: TcpAttemptSettings) {
    this.#settings = settings
    const { target, tls, keepAliveMs, guard, clock, timeouts } = settings
    const push = guard((bytes: Uint8Array) => this.#reader?.push(bytes))
    this.#socket = dial({ ...parseTarget(target), tls, keepAliveMs }, push)
    const { connect } = timeouts()
    this.#timer = clock.after(connect, () => {
      this.#fail(tcpError('TCP_TIMEOUT', `no connection within ${connect / 1000} s`))
    })
    const start = guard(() => this.#start())
    const onConnect = tls === undefined ? start : guard(() => (this.#isInHandshake = true))
    this.#socket.once('connect', onConnect)
    if (tls !== undefined) (this.#socket as TLSSocket).once('secureConnect', start)
    // For the whole life of the socket: an error may follow its end.
    const onError = guard((error: Error) => this.#explain(error))
    this.#socket.on('error', onError)
    this.closed = new Promise((resolve) => {
      const onClose = guard(() => {
        this.#explain(new Error('the connection was closed'))
        resolve()
      })
      this.#socket.once('close', onClose)
    })
  }

  /** No callback is called from here on. Safe twice. */
  cancel(): void {
    this.#isOver = true
    this.#timer[Symbol.dispose]()
    this.#reader?.[Symbol.dispose]()
    this.#socket.destroy()
  }

  #start(): void {
    if (this.#isOver) return
    const { clock, guard, timeouts, onConnected, onBytes, tls } = this.#settings
    this.#timer[Symbol.dispose]()
    this.#reader = new SocketReader(
      this.#socket,
      {
        clock,
        guard,
        readTimeoutMs: () => timeouts().read,
        onBytes,
        onEnd: () => this.#fail(tcpError('TCP_ENDED', 'the stream ended')),
        onFailure: (error) => this.#fail(error),
      },
      tls === undefined,
    )
    onConnected()
  }

  /** A socket that is lost before the stream has begun. */
  #explain(error: Error): void {
    if (this.#reader !== undefined) return
    const code = this.#isInHandshake ? 'TCP_TLS' : 'TCP_CONNECT'
    this.#fail(tcpError(code, reasonOf(error), { cause: error }))
  }

  #fail(error: EngineError): void {
    if (this.#isOver) return
    this.cancel()
    this.#settings.onFailure(error)
  }
}

/** When every address of a host was tried, the message of the aggregate error is empty. */
function reasonOf(error: Error): string {
  const parts = error instanceof AggregateError ? (error.errors as readonly Error[]) : [error]
  return [...new Set(parts.map(({ message }) => message))].join(', ').slice(0, MAX_REASON_LENGTH)
}
