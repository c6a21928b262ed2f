// What a live path is to a listener: somebody who takes the connections of its viewers.
import type { Duplex } from 'node:stream'

/** Who asks for a live path. */
export interface Visitor {
  /** `address:port`, for people; the address alone where a proxy does not tell the port. */
  readonly client: string
  /** The address of the client, as ip-address.ts renders it; for limits and access lists. */
  readonly address: string
  /** Monotonic time at which the request head was complete. */
  readonly headAtMs: number
  /**
   * Only over HTTP/2, where the head of a response is no bytes of the stream: sends it; `isLast` if no body follows. By
   * default the door writes the head of an HTTP/1 response itself.
   */
  respond?(status: number, headers: Readonly<Record<string, string>>, isLast?: boolean): void
}

/** A GET of a live path. Not to be kept: the texts keep the whole request in memory. */
export interface Visit extends Visitor {
  /** What follows the `?` of the request, as sent; empty without one. */
  readonly query: string
  /** Name, value, name, value. */
  readonly headers: readonly string[]
}

export interface StreamHandler {
  /**
   * Takes the socket (of HTTP/2, one stream of it): writes the response, header and all, and ends or destroys it. The
   * listener reads what the client still sends and throws it away. Called once for each GET, whether the request came
   * first on its connection or not.
   */
  serve(socket: Duplex, visit: Visit): void
  /** What such a GET would be answered with now, without waiting for a source; for HEAD. Over HTTP/1 it ends the connection. */
  head(visit: Visit): StreamAnswer | Promise<StreamAnswer>
}

export interface StreamAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}
