// One HTTP listener, plain or with TLS: its sockets, its settings and its paths. Connections go through
// listener-sockets.ts to http1-acceptor.ts or http2-acceptor.ts. The address can change while the listener is open:
// paths, counters and connections stay.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { renderOrigin } from './bind-address.js'
import { listenAt } from './bind-error.js'
import { ClientIdentity } from './client-identity.js'
import { Http1Acceptor } from './http1-acceptor.js'
import { Http2Acceptor } from './http2-acceptor.js'
import { HttpSocket, MAX_HEAD_BYTES } from './http-socket.js'
import { indexOf } from './listener-index.js'
import { onceStarted } from './once-started.js'
import { type ListenerCounters, startCounters } from './listener-counters.js'
import {
  DEFAULT_TIMEOUTS,
  type HttpListenerOptions,
  limitsOf,
  type ListenerSettings,
  type ListenerLimits,
  type ListenerTimeouts,
  trustOf,
} from './listener-options.js'
import { ListenerSockets } from './listener-sockets.js'
import { RequestDispatch, type Respond } from './request-dispatch.js'
import type { NamedListener } from './route-claims.js'
import type { ListedRoute } from './route-listing.js'
import { type PatternRoute, type Route, RouteTable } from './route-table.js'
import type { CertificateReadings, ListenerUpdate, SharedListener } from './shared-listener.js'

export class HttpListener implements NamedListener, SharedListener {
  readonly name: string
  readonly transport = 'tcp'
  readonly counters: ListenerCounters = startCounters()
  readonly #options: HttpListenerOptions
  readonly #timeouts: ListenerTimeouts
  readonly #routes: RouteTable
  readonly #sockets: ListenerSockets<HttpSocket>
  readonly #clientIdentity: ClientIdentity
  readonly #dispatch: RequestDispatch
  readonly #http1: Http1Acceptor
  #http2: Http2Acceptor | undefined
  #maxClients: number

  /** Throws LISTEN_BAD_ADDRESS, LISTEN_BAD_RANGE. */
  constructor(options: HttpListenerOptions) {
    const { name, clock, log, descriptors } = options
    this.name = name
    this.#options = options
    const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
    this.#timeouts = timeouts
    const limits = limitsOf(options)
    this.#maxClients = limits.maxClients
    this.#routes = new RouteTable(name)
    this.#clientIdentity = new ClientIdentity(trustOf(limits))
    this.#dispatch = new RequestDispatch(this.#routes, this.counters, this.#clientIdentity, clock, log)
    this.setFallback(indexOf(() => this.#routes.listed(), options.describe))
    this.#sockets = new ListenerSockets({
      name,
      address: options.address,
      settings: options,
      clock,
      log,
      descriptors,
      counters: this.counters,
      clientIdentity: this.#clientIdentity,
      timeouts,
      alpn: ['h2', 'http/1.1'],
      makeSocket: (socket) => new HttpSocket({ ...socket, timeouts, dispatch: this.#dispatch }),
      onConnection: (boundSocket, socket, connection, early) =>
        this.#http1.accept(boundSocket, socket, connection, early),
      onHttp2: (socket, connection) => {
        this.#http2 ??= this.#makeHttp2()
        this.#http2.accept(socket, connection)
      },
      onSettings: (_, { maxClients }) => (this.#maxClients = maxClients),
    })
    this.#http1 = new Http1Acceptor({
      clock,
      routes: this.#routes,
      clientIdentity: this.#clientIdentity,
      admission: this.#sockets.admission,
      counters: this.counters,
      headerMs: timeouts.headerMs,
    })
  }

  get address(): string {
    return this.#sockets.address
  }

  get protocol(): 'http' | 'https' {
    return this.#sockets.settings.tls === undefined ? 'http' : 'https'
  }

  get origins(): readonly string[] {
    return [renderOrigin(this.boundSocket.bound, this.protocol)]
  }

  get openConnections(): number {
    return this.#sockets.openConnections
  }

  get maxClients(): number {
    return this.#maxClients
  }

  get certificate(): CertificateReadings | undefined {
    return this.#sockets.certificate
  }

  get boundSocket(): HttpSocket {
    return this.#sockets.current
  }

  /** Applies to new connections and viewers: a lower limit disconnects no one. Throws LISTEN_BAD_RANGE. */
  update(limits: ListenerLimits): void {
    this.#maxClients = limits.maxClients
    this.#sockets.update(limits)
  }

  /** Throws LISTEN_IN_USE, LISTEN_DENIED, LISTEN_NO_ADDRESS, LISTEN_FAILED, LISTEN_BAD_CERTIFICATE. */
  async bind(): Promise<void> {
    await this.readCertificate()
    await listenAt(this.name, this.boundSocket)
  }

  readCertificate(): Promise<void> {
    return this.#sockets.readCertificate()
  }

  prepareUpdate(address: string, settings: ListenerSettings): Promise<ListenerUpdate> {
    return this.#sockets.prepareUpdate(address, settings)
  }

  claim(route: Route): Disposable {
    return this.#routes.claim(route)
  }

  listed(): readonly ListedRoute[] {
    return this.#routes.listed()
  }

  /** Paths that no route has go to the pattern until disposed. */
  claimPattern(pattern: PatternRoute): Disposable {
    return this.#routes.claimPattern(pattern)
  }

  /** Answers every request whose path is not registered. By default the index at `/`, and 404. */
  setFallback(respond: Respond): void {
    this.#dispatch.setFallback(onceStarted(respond, this.#options.starting))
  }

  /** Called before each ordinary request; false means that the guard has answered it. By default everything passes. */
  setGuard(mayPass: (request: IncomingMessage, response: ServerResponse) => boolean): void {
    this.#dispatch.setGuard(mayPass)
  }

  stopAccepting(): void {
    this.#sockets.stopAccepting()
  }

  /** Responses in progress have `graceMs`. Delivery ends the viewers; those that remain are cut. */
  async close(graceMs = 1000): Promise<void> {
    const closed = this.#sockets.close(graceMs)
    for (const boundSocket of this.#sockets.all()) boundSocket.closeIdle()
    this.#http2?.close()
    await closed
    this.#http2?.[Symbol.dispose]()
  }

  #makeHttp2(): Http2Acceptor {
    const { clock, log } = this.#options
    return new Http2Acceptor({
      clock,
      log,
      routes: this.#routes,
      dispatch: this.#dispatch,
      clientIdentity: this.#clientIdentity,
      counters: this.counters,
      requestMs: this.#timeouts.requestMs,
      idleMs: this.#timeouts.keepAliveMs,
      maxHeadBytes: MAX_HEAD_BYTES,
      onRequest: ({ socket }) => this.#sockets.admission.markRead(socket),
    })
  }
}
