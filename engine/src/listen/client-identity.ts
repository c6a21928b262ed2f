// Whose connection a socket belongs to, for all who only see the socket (or the HTTP/2 session) that was made of it.
import type { IncomingMessage } from 'node:http'
import { clientOf, type Connection, type ProxyTrust, renderPeer } from './client-address.js'

export class ClientIdentity {
  /** Who is believed about the clients behind it. */
  trust: ProxyTrust
  readonly #connections = new WeakMap<object, Connection>()

  constructor(trust: ProxyTrust) {
    this.trust = trust
  }

  add(carrier: object, connection: Connection): void {
    this.#connections.set(carrier, connection)
  }

  connectionOf(carrier: object): Connection | undefined {
    return this.#connections.get(carrier)
  }

  /** Who sent a request with these headers. */
  visitor(carrier: object, rawHeaders: readonly string[]): { readonly client: string; readonly address: string } {
    const connection = this.#connections.get(carrier)
    if (connection === undefined) return { client: 'unknown', address: '' }
    const peer = clientOf(connection, rawHeaders, this.trust)
    return { client: renderPeer(peer), address: peer.address }
  }

  /**
   * What a PROXY header said is written into the request, as a proxy that speaks HTTP would: a handler that treats
   * requests from this machine in another way must see that this one is not.
   */
  addForwardedFor(request: IncomingMessage, carrier: object): void {
    const connection = this.#connections.get(carrier)
    if (connection?.isProxied === true) request.headers['x-forwarded-for'] ??= connection.peer.address
  }
}
