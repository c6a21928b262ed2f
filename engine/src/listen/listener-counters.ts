// What a listener counts; plain numbers, read at scrape time.
import type { BadHead } from './request-head.js'

/** Why a connection was closed before a request was read off it; with BadHead the labels of the counters. */
export type RefusedConnection =
  | 'max-connections'
  | 'descriptors'
  /** It had said nothing, and made room for others. */
  | 'unread'
  | 'untrusted-proxy'
  | 'proxy-header'
  | 'tls-handshake'
  | 'tls-timeout'
  /** HTTP where TLS is spoken. */
  | 'plain-http'
  /** The client has gone before it had asked. */
  | 'incomplete'
  | 'http2'

export interface ListenerCounters {
  /** Accepted, ever. */
  connections: number
  /** Connections closed before a request was read, by reason. */
  readonly refused: Map<RefusedConnection, number>
  /** Connections that speak HTTP/2. */
  http2: number
  /** Connections given to http.Server. */
  passedToHttpServer: number
  /** Requests that http.Server has read. */
  requests: number
  /** GETs given to the door of a live path, however they came. */
  live: number
  /** Requests refused before anybody saw them, by reason. */
  readonly badHeads: Map<BadHead, number>
  /** What clients sent after the GET of a live path. */
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

export function countRefused(counters: ListenerCounters, reason: RefusedConnection): void {
  counters.refused.set(reason, (counters.refused.get(reason) ?? 0) + 1)
}
