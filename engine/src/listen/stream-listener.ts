// A listener over TCP whose protocol a plugin speaks. Connections that come while no node serves it wait for one, as
// silent connections: they are closed to make room for others, and after a time.
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import type { Who } from '../plugin/audience.js'
import type { StreamConnection } from '../plugin/listener.js'
import { PUBLISHER_REFUSALS } from '../plugin/publisher.js'
import type { Clock } from '../plugin/tokens.js'
import { LogLimit } from '../observe/log-limit.js'
import { renderOrigin } from './bind-address.js'
import { BoundSocket, SOCKET_BUFFER_BYTES } from './bound-socket.js'
import { type Connection, renderPeer } from './client-address.js'
import { ClientIdentity } from './client-identity.js'
import { type ConnectionCounters, countRefused } from './listener-counters.js'
import { DEFAULT_TIMEOUTS, limitsOf, type ListenerSettings, trustOf } from './listener-options.js'
import { ListenerSockets } from './listener-sockets.js'
import type { ListenerProtocol, ListenerServer, PluginListener, PluginListenerOptions } from './plugin-listener.js'
import { refusalLabel } from './plugin-listener.js'
import { endSocket } from './raw-response.js'
import { ProvidedValue } from './provided-value.js'
import type { CertificateReadings, ListenerUpdate } from './shared-listener.js'

/** How long a connection waits for a node. */
const WAIT_MS = 5000
/** One line about refused connections in this time: they come as often as they like. */
const TELL_EVERY_MS = 10_000
/** Told by the input that has refused the publisher, which knows why; or of every port scan and health check. */
const TOLD_ELSEWHERE: ReadonlySet<string> = new Set([...PUBLISHER_REFUSALS, 'incomplete'])

export class StreamListener implements PluginListener {
  readonly name: string
  readonly transport = 'tcp'
  readonly maxClients = 0
  readonly speaks: ListenerProtocol
  readonly provided: ProvidedValue
  readonly counters: ConnectionCounters = { connections: 0, refused: new Map() }
  readonly #options: PluginListenerOptions
  readonly #sockets: ListenerSockets<BoundSocket>
  readonly #lines: LogLimit
  #server: ListenerServer | undefined
  readonly #waiting = new Map<AcceptedConnection, Disposable>()
  /** Handed to a node, and not identified yet. */
  readonly #silent = new Map<AcceptedConnection, ListenerServer>()

  /** Throws LISTEN_BAD_ADDRESS, LISTEN_BAD_RANGE. */
  constructor(options: PluginListenerOptions) {
    const { name, address, protocol, settings, clock, log, descriptors } = options
    this.name = name
    this.#options = options
    this.#lines = new LogLimit(clock, TELL_EVERY_MS)
    this.speaks = protocol
    this.provided = new ProvidedValue(name)
    this.#sockets = new ListenerSockets({
      name,
      address,
      settings,
      clock,
      log,
      descriptors,
      counters: this.counters,
      clientIdentity: new ClientIdentity(trustOf(limitsOf(settings))),
      timeouts: DEFAULT_TIMEOUTS,
      makeSocket: (socket) => {
        return new BoundSocket(createServer({ noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES }), socket)
      },
      onConnection: (_, socket, connection, early) => this.#take(socket, connection, early),
    })
  }

  get protocol(): string {
    return this.speaks.protocol
  }

  get address(): string {
    return this.#sockets.address
  }

  get origins(): readonly string[] {
    const scheme = this.#sockets.settings.tls === undefined ? this.protocol : `${this.protocol}+tls`
    return [renderOrigin(this.boundSocket.bound, scheme)]
  }

  get openConnections(): number {
    return this.#sockets.openConnections
  }

  get certificate(): CertificateReadings | undefined {
    return this.#sockets.certificate
  }

  get boundSocket(): BoundSocket {
    return this.#sockets.current
  }

  readCertificate(): Promise<void> {
    return this.#sockets.readCertificate()
  }

  prepareUpdate(address: string, settings: ListenerSettings): Promise<ListenerUpdate> {
    return this.#sockets.prepareUpdate(address, settings)
  }

  stopAccepting(): void {
    this.#sockets.stopAccepting()
  }

  async close(graceMs = 1000): Promise<void> {
    await this.#sockets.close(graceMs)
  }

  serveBy(server: ListenerServer): void {
    this.#server = server
    if (server.onConnection === undefined) return
    for (const [connection, timer] of this.#waiting) {
      timer[Symbol.dispose]()
      this.#waiting.delete(connection)
      this.#hand(connection, server)
    }
  }

  leave(server: ListenerServer): void {
    for (const [connection, owner] of this.#silent) if (owner === server) connection.socket.destroy()
    if (this.#server !== server) return
    this.#server = undefined
    this.provided.set(undefined)
  }

  /** Anything that has been read before is put back. The socket is paused: nothing is lost before somebody reads it. */
  #take(socket: Socket, connection: Connection, early: Buffer): void {
    socket.pause()
    if (early.length > 0) socket.unshift(early)
    const accepted = new AcceptedConnection({
      socket,
      clock: this.#options.clock,
      who: this.#whoOf(connection),
      onIdentified: () => {
        this.#silent.delete(accepted)
        this.#sockets.admission.markRead(connection.socket)
      },
      onRefused: (reason) => {
        if (this.#sockets.admission.hasEvicted(connection.socket)) return
        this.#noteRefused(accepted.who.client, refusalLabel(this.speaks, reason))
      },
    })
    socket.once('close', () => this.#forget(accepted))
    if (this.#server?.onConnection !== undefined) return this.#hand(accepted, this.#server)
    const timer = this.#options.clock.after(WAIT_MS, () => {
      countRefused(this.counters, 'unserved')
      socket.destroy()
    })
    this.#waiting.set(accepted, timer)
  }

  #hand(connection: AcceptedConnection, server: ListenerServer): void {
    this.#silent.set(connection, server)
    server.onConnection?.(connection)
  }

  #noteRefused(client: string, reason: string): void {
    countRefused(this.counters, reason)
    if (TOLD_ELSEWHERE.has(reason)) return
    const { name, protocol } = this
    this.#lines.log((leftOut) => {
      this.#options.log.warn({ listener: name, protocol, client, reason, ...leftOut }, 'refused a connection')
    })
  }

  #forget(connection: AcceptedConnection): void {
    this.#waiting.get(connection)?.[Symbol.dispose]()
    this.#waiting.delete(connection)
    this.#silent.delete(connection)
  }

  #whoOf({ peer }: Connection): Who {
    const { name: listener, protocol } = this
    const { address } = peer
    return { protocol, listener, client: renderPeer(peer), address, user: undefined, agent: '', place: '' }
  }
}

interface AcceptedOptions {
  readonly socket: Socket
  readonly clock: Clock
  readonly who: Who
  onIdentified(): void
  onRefused(reason: string): void
}

class AcceptedConnection implements StreamConnection {
  readonly socket: Socket
  readonly who: Who
  readonly #options: AcceptedOptions
  #isRefused = false

  constructor(options: AcceptedOptions) {
    this.#options = options
    this.socket = options.socket
    this.who = options.who
  }

  identified(): void {
    this.#options.onIdentified()
  }

  refuse(reason: string, answer?: string): void {
    if (this.#isRefused) return
    this.#isRefused = true
    this.#options.onRefused(reason)
    if (answer === undefined) this.socket.destroy()
    else this.end(answer)
  }

  end(answer: string): void {
    endSocket(this.socket, answer, this.#options.clock)
    this.socket.resume()
  }
}
