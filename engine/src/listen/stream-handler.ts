// A live path as a listener sees it: a handler that takes over the connections of its viewers.
import type { Duplex } from 'node:stream'

/** The client of a request. */
export interface Visitor {
  /** `address:port`, for display; the address alone if a proxy does not give the port. */
  readonly client: string
  /** The address of the client, as ip-address.ts renders it; for limits and access lists. */
  readonly address: string
  /** Monotonic time at which the request head was complete. */
  readonly headAtMs: number
  /**
   * Only over HTTP/2, where the head of a response is not part of the byte stream: sends it; `isLast` if no body
   * follows. Without it the handler writes the head of an HTTP/1 response itself.
   */
  respond?(status: number, headers: Readonly<Record<string, string>>, isLast?: boolean): void
}

/** A request. Do not keep it: its strings keep the whole request in memory. */
export interface Visit extends Visitor {
  /** Percent-decoded, without the query. */
  readonly path: string
  /** What follows the `?` of the request, as sent; empty without one. */
  readonly query: string
  /** Name, value, name, value. */
  readonly headers: readonly string[]
}

export interface StreamHandler {
  /**
   * Takes over the socket (with HTTP/2, one stream): writes the whole response including its head, and ends or destroys
   * it. The listener reads and discards anything the client still sends. Called once for each GET, whether or not it
   * was the first request of its connection.
   */
  serve(socket: Duplex, visit: Visit): void
  /** For HEAD: the response a GET would get, without waiting for a source. Over HTTP/1 it ends the connection. */
  head(visit: Visit): StreamAnswer | Promise<StreamAnswer>
  /**
   * For OPTIONS: what a browser may send (the preflight of the Fetch standard); undefined if pages of other origins may
   * send nothing. It needs no authorization: browsers ask without credentials. By default 405.
   */
  preflight?(visit: Visit): StreamAnswer | undefined
}

export interface StreamAnswer {
  readonly status: number
  /** With the length of the body. */
  readonly headers: Readonly<Record<string, string>>
  /** ASCII. Not sent in answer to HEAD. By default empty. */
  readonly body?: string
}
