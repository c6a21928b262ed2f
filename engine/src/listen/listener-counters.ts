// The counters of a listener; plain numbers, read at scrape time.
import type { BadHead } from './request-head.js'

/** Why a connection was closed before anything was read from it; with BadHead the label values of the counters. */
export type RefusedConnection =
  | 'max-connections'
  | 'max-per-address'
  | 'descriptors'
  /** It was silent, and was closed to make room for others. */
  | 'unread'
  | 'untrusted-proxy'
  | 'proxy-header'
  | 'tls-handshake'
  | 'tls-timeout'
  /** Plain HTTP on a TLS listener. */
  | 'plain-http'
  /** The client went away before it sent a request. */
  | 'incomplete'
  | 'http2'
  /** Its address has reset too many streams of HTTP/2. */
  | 'http2-resets'

/** Of every listener that accepts connections. */
export interface ConnectionCounters {
  /** All accepted connections. */
  connections: number
  /** Connections closed before anything was read from them, by reason; a plugin has reasons of its own. */
  readonly refused: Map<string, number>
}

export interface ListenerCounters extends ConnectionCounters {
  /** Connections that use HTTP/2. */
  http2: number
  /** Connections passed to http.Server. */
  passedToHttpServer: number
  /** Requests that http.Server has read. */
  requests: number
  /** GETs passed to the stream handler of a live path, over any protocol. */
  live: number
  /** Requests refused before any handler saw them, by reason. */
  readonly badHeads: Map<BadHead, number>
  /** Sent by clients after the GET of a live path. */
  discardedBytes: number
  /** Requests that followed the GET of a live path on a connection of http.Server. */
  discardedRequests: number
}

export function startCounters(): ListenerCounters {
  return {
    connections: 0,
    refused: new Map(),
    http2: 0,
    passedToHttpServer: 0,
    requests: 0,
    live: 0,
    badHeads: new Map(),
    discardedBytes: 0,
    discardedRequests: 0,
  }
}

export function countBadHead(counters: ListenerCounters, reason: BadHead): void {
  counters.badHeads.set(reason, (counters.badHeads.get(reason) ?? 0) + 1)
}

export function countRefused({ refused }: Pick<ConnectionCounters, 'refused'>, reason: string): void {
  refused.set(reason, (refused.get(reason) ?? 0) + 1)
}
