// TLS in front of a protocol: performs the handshake of each connection in bounded time and negotiates the protocol inside
// (ALPN, RFC 7301). Connections come from the listener, which has already read a PROXY header from them; the TLS server
// itself does not listen.
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { Clock } from '../plugin/tokens.js'
import type { Logger } from '../plugin/contract.js'
import type { Connection } from './client-address.js'
import type { RefusedConnection } from './listener-counters.js'
import { renderTextResponse } from './raw-response.js'
import { type LoadedCredentials, TlsCredentials, type TlsFiles } from './tls-credentials.js'
import { ignoreErrors } from './ignore-errors.js'

export interface TlsAcceptorOptions {
  /** Name of the listener. */
  readonly name: string
  readonly files: TlsFiles
  /** Protocols that are offered inside (ALPN); none for a protocol without a name there. */
  readonly alpn: readonly string[]
  readonly clock: Clock
  readonly log: Logger
  /** For the whole handshake. */
  readonly handshakeMs: number
  readonly pollMs?: number
  /** Called when the handshake has succeeded. */
  onSecure(socket: TLSSocket, connection: Connection): void
  /** Called once for each handshake that fails; the socket is closed. */
  onFail(reason: RefusedConnection): void
}

const MIN_VERSION = 'TLSv1.2'

export class TlsAcceptor implements Disposable {
  readonly credentials: TlsCredentials
  readonly #options: TlsAcceptorOptions
  readonly #server: Server
  /** Handshakes in progress, by the endpoints of their connection: Node does not say which socket it wrapped. */
  readonly #underWay = new Map<string, Connection>()

  constructor(options: TlsAcceptorOptions) {
    this.#options = options
    const { name, files, clock, log, pollMs } = options
    this.credentials = new TlsCredentials({
      name,
      files,
      clock,
      log,
      ...(pollMs === undefined ? {} : { pollMs }),
      onChange: (credentials) => this.#use(credentials),
    })
    // The deadline counts from the start of the handshake: bytes that arrive meanwhile do not extend it.
    const alpn = options.alpn.length === 0 ? {} : { ALPNProtocols: [...options.alpn] }
    this.#server = createServer({ ...alpn, handshakeTimeout: options.handshakeMs })
    this.#server.on('secureConnection', (socket) => this.#onSecure(socket))
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      const reason = reasonOf(error.code)
      options.onFail(reason)
      if (reason === 'plain-http' && options.alpn.includes('http/1.1')) this.#answerPlainHttp(socket)
      // Node leaves that to the listener of this event.
      else socket.destroy()
    })
  }

  /** Reads the certificate. Throws LISTEN_BAD_CERTIFICATE. */
  async open(): Promise<void> {
    this.#use(await this.credentials.open())
  }

  /** `early`: bytes already read from the connection. */
  accept(connection: Connection, early: Buffer): void {
    const { socket } = connection
    const ends = endsOf(socket)
    this.#underWay.set(ends, connection)
    socket.once('close', () => this.#underWay.delete(ends))
    if (early.length > 0) {
      // Node passes what a paused socket has buffered to TLS first.
      socket.pause()
      socket.unshift(early)
    }
    this.#server.emit('connection', socket)
  }

  [Symbol.dispose](): void {
    this.credentials[Symbol.dispose]()
  }

  #use({ cert, key }: LoadedCredentials): void {
    this.#server.setSecureContext({ cert, key, minVersion: MIN_VERSION })
  }

  /** In plain text, like the request; nothing was sent before, so the kernel takes it at once. */
  #answerPlainHttp(socket: TLSSocket): void {
    const plain = this.#underWay.get(endsOf(socket))?.socket
    if (plain === undefined) socket.destroy()
    else plain.write(renderTextResponse(400, 'This port speaks TLS: use https://'), () => socket.destroy())
  }

  #onSecure(socket: TLSSocket): void {
    ignoreErrors(socket)
    const ends = endsOf(socket)
    const connection = this.#underWay.get(ends)
    this.#underWay.delete(ends)
    if (connection === undefined) socket.destroy()
    else this.#options.onSecure(socket, connection)
  }
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`
}

function reasonOf(code: string | undefined): RefusedConnection {
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'tls-timeout'
  if (code === 'ERR_SSL_HTTP_REQUEST') return 'plain-http'
  return code === 'ECONNRESET' ? 'incomplete' : 'tls-handshake'
}
