// What a plugin's auth provider has returned, as far as it can be used: its text goes to logs, headers and responses.
import { AUTH_REFUSALS, type AuthVerdict } from '../plugin/auth-definition.js'

const LONGEST_USER = 255
const LONGEST_WHY = 200
const CONTROL = /\p{Cc}/u
const UNPRINTABLE = /[^\x20-\x7e\p{L}\p{M}\p{N}\p{P}\p{S}]/gu
/** RFC 9110 section 5.5. */
const CHALLENGE = /^[\x21-\x7e][\x20-\x7e]{0,511}$/

/** Undefined if it is no verdict. Never throws. */
export function readVerdict(result: unknown): AuthVerdict | undefined {
  try {
    if (typeof result !== 'object' || result === null) return undefined
    const { allowed, user, reason, why, challenge } = result as Readonly<Record<string, unknown>>
    if (allowed === true) return user === undefined || isUser(user) ? { allowed, user } : undefined
    const known = AUTH_REFUSALS.find((each) => each === reason)
    if (allowed !== false || known === undefined) return undefined
    if (challenge !== undefined && !(typeof challenge === 'string' && CHALLENGE.test(challenge))) return undefined
    if (why !== undefined && typeof why !== 'string') return undefined
    const shown = why?.slice(0, LONGEST_WHY).replace(UNPRINTABLE, ' ').trim()
    return {
      ...{ allowed, reason: known },
      ...(shown === undefined || shown === '' ? {} : { why: shown }),
      ...(challenge === undefined ? {} : { challenge }),
    }
  } catch {
    // A getter, or a proxy.
    return undefined
  }
}

function isUser(user: unknown): user is string {
  return typeof user === 'string' && user.length > 0 && user.length <= LONGEST_USER && !CONTROL.test(user)
}
