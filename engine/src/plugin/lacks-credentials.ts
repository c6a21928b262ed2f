// What protocols with codes of their own tell a client that was refused: that it has to present something else, or that it may not.
import type { RefusedAccess } from './auth.js'

const REASONS: readonly RefusedAccess[] = ['no-credentials', 'bad-credentials', 'bad-signature', 'expired']

/** Whether the client was refused for what it presented, or did not; with other credentials it may be admitted. */
export function lacksCredentials(reason: RefusedAccess): boolean {
  return REASONS.includes(reason)
}
