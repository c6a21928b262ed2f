// Ordinary HTTP requests to a node: what it mounts on a listener, and what it learns about each request.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Audience, Who } from './audience.js'

/** What a node can do with an HTTP listener. */
export interface HttpRoutes {
  readonly name: string
  /** `http://host:port` with a host that a browser can open; one per bound address. */
  readonly origins: readonly string[]
  /**
   * Passes requests for the path to the handler, over HTTP/1 and HTTP/2, until disposed. An exact path wins over
   * prefixes, a longer prefix over a shorter one. To change a mount, dispose it and mount again in the same turn of the
   * event loop. Throws LISTEN_BAD_PATH, and LISTEN_PATH_TAKEN except while a reload moves paths: a taken path then aborts
   * the reload.
   */
  mount(options: MountOptions, handle: HttpHandler): Disposable
}

export interface MountOptions {
  /** Percent-decoded, starts with a slash; a prefix ends with one too. */
  readonly path: string
  /** True: every path below it as well. By default only the path itself. */
  readonly prefix?: boolean
  /** Other methods are answered with 405. By default GET and HEAD. */
  readonly methods?: readonly string[]
  /** Access providers (`auth:`); any of them can admit a request. Read at each request. By default everyone is admitted. */
  readonly auth?: readonly string[]
  /** Counts and logs the requests that no provider admits. The handler itself calls `touch` or `enter`. */
  readonly audience?: Audience
}

/**
 * Answers an admitted request. It may read a body, and bounds it. If it throws, or returns a promise that rejects, the
 * answer is 500, and the error is logged.
 */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse, visit: HttpVisit) => unknown

/** Who sent a request, and for what. */
export interface HttpVisit {
  /** `address:port` of the client, behind trusted proxies too; the address alone if a proxy does not give the port. */
  readonly client: string
  /** The address of the client, in one form; for limits. */
  readonly address: string
  /** The admitted user; undefined if the provider knows no names, or the mount has no providers. */
  readonly user: string | undefined
  /**
   * Percent-decoded, without the query. Below a prefix it has no empty segments, no `.`, `..` or backslash, and no slash
   * that was sent encoded.
   */
  readonly path: string
  /** What follows the `?`, as sent; empty without one. */
  readonly query: string
  /** The same for an audience. */
  readonly who: Who
}
