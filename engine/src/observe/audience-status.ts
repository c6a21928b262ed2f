// The viewers of an output in status and metrics.
import type { AudienceCounters, ClientLimits } from '../plugin/audience.js'

/** Each value is current when it is read. */
export interface AudienceStatus {
  readonly counters: AudienceCounters
  readonly limits: ClientLimits
  /** The limits that are reached now. */
  readonly limitsReached: readonly ('soft' | 'max')[]
}
