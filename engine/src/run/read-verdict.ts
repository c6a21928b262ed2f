// What a plugin's auth provider has returned, as far as it can be used: its text goes to logs, headers and responses.
import { AUTH_REFUSALS, type AuthVerdict } from '../plugin/auth-definition.js'

const LONGEST_USER = 255
const LONGEST_SECRET = 255
const LONGEST_WHY = 200
const CONTROL = /\p{Cc}/u
const UNPRINTABLE = /[^\x20-\x7e\p{L}\p{M}\p{N}\p{P}\p{S}]/gu
/** RFC 9110 section 5.5. */
const CHALLENGE = /^[\x21-\x7e][\x20-\x7e]{0,511}$/

type Fields = Readonly<Record<string, unknown>>

/** Undefined if it is no verdict. Never throws. */
export function readVerdict(result: unknown): AuthVerdict | undefined {
  try {
    if (typeof result !== 'object' || result === null) return undefined
    const { allowed, user, credential, isForAddress = false, secret, giveBack } = result as Fields
    if (allowed === false) return readRefusal(result as Fields)
    if (allowed !== true || (user !== undefined && !isUser(user)) || !isTextOrNothing(credential)) return undefined
    if (!isTextOrNothing(secret) || (secret !== undefined && secret.length > LONGEST_SECRET)) return undefined
    if (typeof isForAddress !== 'boolean') return undefined
    const undo = typeof giveBack === 'function' ? { giveBack: once(giveBack as () => void) } : {}
    return { allowed, user, credential, isForAddress, secret, ...undo }
  } catch {
    // A getter, or a proxy.
    return undefined
  }
}

/** The first call counts, and never throws. */
function once(run: () => void): () => void {
  let hasRun = false
  return () => {
    if (hasRun) return
    hasRun = true
    try {
      run()
    } catch {
      // Nothing is given back.
    }
  }
}

function readRefusal({ reason, why, challenge }: Fields): AuthVerdict | undefined {
  const known = AUTH_REFUSALS.find((each) => each === reason)
  if (known === undefined || !isTextOrNothing(why) || !isTextOrNothing(challenge)) return undefined
  if (challenge !== undefined && !CHALLENGE.test(challenge)) return undefined
  const shown = why?.slice(0, LONGEST_WHY).replace(UNPRINTABLE, ' ').trim() ?? ''
  return {
    ...{ allowed: false, reason: known },
    ...(shown === '' ? {} : { why: shown }),
    ...(challenge === undefined ? {} : { challenge }),
  }
}

function isTextOrNothing(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function isUser(user: unknown): user is string {
  return typeof user === 'string' && user.length > 0 && user.length <= LONGEST_USER && !CONTROL.test(user)
}
