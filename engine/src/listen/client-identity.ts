// Finds the connection, and with it the client, of a socket or HTTP/2 session that was created from it.
import type { IncomingMessage } from 'node:http'
import { clientOf, type Connection, type ProxyTrust, renderPeer } from './client-address.js'

export class ClientIdentity {
  /** The proxies whose statements about their clients are trusted. */
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

  /** The client of a request with these headers. */
  visitor(carrier: object, rawHeaders: readonly string[]): { readonly client: string; readonly address: string } {
    const connection = this.#connections.get(carrier)
    if (connection === undefined) return { client: 'unknown', address: '' }
    const peer = clientOf(connection, rawHeaders, this.trust)
    return { client: renderPeer(peer), address: peer.address }
  }

  /**
   * Writes the address of a PROXY header into the request, as an HTTP proxy would: a handler that treats requests from
   * this machine differently must see that this one is not local.
   */
  addForwardedFor(request: IncomingMessage, carrier: object): void {
    const connection = this.#connections.get(carrier)
    if (connection?.isProxied === true) request.headers['x-forwarded-for'] ??= connection.peer.address
  }
}
