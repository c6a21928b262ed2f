// The counters of an audience that has begun.
import type { AudienceCounters } from '../plugin/audience.js'

export function startCounters(): AudienceCounters {
  return { clients: 0, connects: 0, sentBytes: 0, refused: new Map(), ended: new Map(), skips: 0, skippedBytes: 0 }
}
