// The steps of a connection before anything is read from it: admission, the client's address (PROXY header) and the TLS
// handshake. Each step has its deadline; a connection that fails one is closed and counted.
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import type { ClientIdentity } from './client-identity.js'
import { type Connection, type Peer, peerOf } from './client-address.js'
import type { ConnectionAdmission } from './connection-admission.js'
import { type ConnectionCounters, countRefused, type RefusedConnection } from './listener-counters.js'
import type { ProxyVersion } from './proxy-header.js'
import { ProxyReader } from './proxy-reader.js'
import type { TlsFiles } from './tls-credentials.js'
import { TlsAcceptor } from './tls-acceptor.js'
import { ignoreErrors } from './ignore-errors.js'

export interface ConnectionAcceptorOptions {
  /** Name of the listener. */
  readonly name: string
  readonly clock: Clock
  readonly log: Logger
  readonly counters: ConnectionCounters
  readonly clientIdentity: ClientIdentity
  readonly admission: ConnectionAdmission
  readonly proxyProtocol: ProxyVersion | 'off'
  readonly tls: TlsFiles | undefined
  /** Protocols that are offered inside TLS. */
  readonly alpn: readonly string[]
  /** Deadlines of the PROXY header and of the handshake. */
  readonly proxyHeaderMs: number
  readonly handshakeMs: number
  readonly certificatePollMs: number | undefined
  /** `early` has already been read from the socket. */
  onConnection(socket: Socket, connection: Connection, early: Buffer): void
  /** Instead of `onConnection`, where the client has chosen HTTP/2. */
  onHttp2(socket: TLSSocket, connection: Connection): void
}

const NOTHING = Buffer.alloc(0)

export class ConnectionAcceptor implements Disposable {
  readonly tls: TlsAcceptor | undefined
  readonly #options: ConnectionAcceptorOptions

  constructor(options: ConnectionAcceptorOptions) {
    this.#options = options
    const { name, clock, log, handshakeMs, certificatePollMs: pollMs, tls: files, alpn } = options
    if (files === undefined) return
    const onFail = (reason: RefusedConnection): void => countRefused(options.counters, reason)
    const onSecure = (socket: TLSSocket, connection: Connection): void => this.#onSecure(socket, connection)
    const poll = pollMs === undefined ? {} : { pollMs }
    this.tls = new TlsAcceptor({ name, files, alpn, clock, log, handshakeMs, ...poll, onSecure, onFail })
  }

  /** Called for each connection. */
  accept(socket: Socket): void {
    const { admission, counters, clientIdentity, proxyProtocol } = this.#options
    counters.connections++
    // For the whole life of the socket: a reset at any time concerns one client, never the process.
    ignoreErrors(socket)
    const peer = peerOf(socket)
    if (peer === undefined) return this.#refuse(socket, 'incomplete')
    if (!admission.admit(socket)) return
    const connection: Connection = { socket, peer, isProxied: false }
    if (proxyProtocol === 'off') return this.#secure(connection, NOTHING)
    // Any peer could name any client in a PROXY header: if proxies are listed, only they may send one.
    const { proxies } = clientIdentity.trust
    if (proxies.isEmpty || proxies.has(peer.address)) this.#readProxyHeader(connection, proxyProtocol)
    else this.#refuse(socket, 'untrusted-proxy')
  }

  [Symbol.dispose](): void {
    this.tls?.[Symbol.dispose]()
  }

  #readProxyHeader(connection: Connection, version: ProxyVersion): void {
    const { clock, proxyHeaderMs } = this.#options
    const { socket } = connection
    void new ProxyReader(socket, {
      clock,
      version,
      timeoutMs: proxyHeaderMs,
      onClient: (client: Peer | undefined, rest: Buffer) => {
        this.#secure({ socket, peer: client ?? connection.peer, isProxied: true }, rest)
      },
      onBad: () => this.#refuse(socket, 'proxy-header'),
    })
  }

  #secure(connection: Connection, early: Buffer): void {
    const { socket, peer } = connection
    if (!this.#options.admission.claimAddress(socket, peer.address)) return this.#refuse(socket, 'max-per-address')
    if (this.tls !== undefined) return this.tls.accept(connection, early)
    this.#options.clientIdentity.add(socket, connection)
    this.#options.onConnection(socket, connection, early)
  }

  #onSecure(socket: TLSSocket, connection: Connection): void {
    this.#options.clientIdentity.add(socket, connection)
    if (socket.alpnProtocol === 'h2') this.#options.onHttp2(socket, connection)
    else this.#options.onConnection(socket, connection, NOTHING)
  }

  #refuse(socket: Socket, reason: RefusedConnection): void {
    countRefused(this.#options.counters, reason)
    socket.destroy()
  }
}
