// Ordinary HTTP requests to a node: what it mounts on a listener, and what it learns about each request.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Audience, Who } from './audience.js'
import type { ExchangeableCredential } from './auth.js'

/** What a node can do with an HTTP listener. */
export interface HttpRoutes {
  readonly name: string
  /** `http://host:port` with a host that a browser can open; one per bound address. */
  readonly origins: readonly string[]
  /** What the node's pipeline serves on the listener now, of what is `listed`; this node too. */
  listed(): readonly ListedPath[]
  /**
   * Passes requests for the path to the handler, over HTTP/1 and HTTP/2, until disposed. An exact path wins over
   * prefixes, a longer prefix over a shorter one. To change a mount, dispose it and mount again in the same turn of the
   * event loop. Throws LISTEN_BAD_PATH, and LISTEN_PATH_TAKEN except while a reload moves paths: a taken path then aborts
   * the reload.
   */
  mount(options: MountOptions, handle: HttpHandler): Disposable
}

/** How the index of a listener, at `/`, shows a path that people can open. */
export interface Listing {
  /** A `page` comes first, a `picture` last. */
  readonly kind: 'page' | 'stream' | 'picture'
  /** A few words: `HLS`, `MPEG-TS`. */
  readonly label: string
}

export interface ListedPath extends Listing {
  /** Percent-decoded. */
  readonly path: string
  /** Access providers, any of which can admit a request; empty: everyone is admitted. */
  readonly auth: readonly string[]
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
  /**
   * Origins whose web pages may read the responses, refusals too; `*` for all of them, without credentials. The engine then
   * answers preflights, if `methods` has OPTIONS. Read at each request. By default none.
   */
  readonly cors?: readonly string[]
  /** Sessions that the node has begun for clients that a provider has admitted. By default none. */
  readonly sessions?: MountSessions
  /** What lists of viewers and the access log show as the path: paths may hold a secret. By default the requested one. */
  readonly place?: string
  /** Counts and logs the requests that no provider admits. The handler itself calls `touch` or `enter`. */
  readonly audience?: Audience
  /** The index shows it, unless it has access providers. By default it does not. */
  readonly listed?: Listing
}

/** Admits requests of clients that have been admitted before, and need not present their credentials again. */
export interface MountSessions {
  /**
   * The session that a request belongs to; no provider is asked then. Undefined: the providers decide. Called at each
   * request of a mount that has providers.
   */
  find(request: SessionRequest): AdmittedSession | undefined
  /**
   * For people: what to do. A client that has presented nothing receives it with 401. By default the providers' own
   * answer.
   */
  readonly hint?: string
}

/** What can tell to which session a request belongs. It holds secrets: do not log it. */
export interface SessionRequest {
  readonly address: string
  /** Percent-decoded, without the query. */
  readonly path: string
  readonly query: string
  /** `name`: in lower case. Several headers of one name form a list. */
  header(name: string): string | undefined
}

export interface AdmittedSession {
  /** Who was admitted. */
  readonly user: string | undefined
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
  /** What `sessions` of the mount has found. */
  readonly session?: AdmittedSession
  /** Of an AccessDecision: the client may exchange what it has presented for a session. */
  readonly credential?: ExchangeableCredential
  /** The same for an audience. */
  readonly who: Who
}
