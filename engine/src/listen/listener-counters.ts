// What a listener counts; plain numbers, read at scrape time.
import type { BadHead } from './request-head.js'

export interface ListenerCounters {
  /** Accepted, ever. */
  connections: number
  /** Connections given to http.Server. */
  handedOver: number
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
    handedOver: 0,
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
