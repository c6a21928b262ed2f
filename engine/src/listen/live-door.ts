// What a live path is to a listener: somebody who takes the sockets of its viewers.
import type { Socket } from 'node:net'

/** A GET of a live path. */
export interface Visit {
  /** `address:port`. */
  readonly client: string
  /** Monotonic time at which the request head was complete. */
  readonly headAtMs: number
}

export interface LiveDoor {
  /**
   * Takes the socket: writes the response, header and all, and ends or destroys it. The listener reads what the client
   * still sends and throws it away. Called once for each GET, whether the request came first on its connection or not.
   */
  serve(socket: Socket, visit: Visit): void
  /** What a GET would be answered with now, without waiting; for HEAD. `Connection: close` is added. */
  head(): { readonly status: number; readonly headers: Readonly<Record<string, string>> }
}
