// The counters of a route before anybody came.
import type { RouteCounters } from '../plugin/live-route.js'

export function startRouteCounters(): RouteCounters {
  return { clients: 0, connects: 0, sentBytes: 0, refused: new Map(), ended: new Map(), skips: 0, skippedBytes: 0 }
}
