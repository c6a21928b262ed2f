// One way to decide about a request, as the section `auth:` declares it.
import type { AccessRequest, RefusedAccess } from '../plugin/auth.js'

export type Verdict =
  | { readonly allowed: true; readonly user: string | undefined }
  | {
      readonly allowed: false
      readonly reason: RefusedAccess
      /** A challenge of RFC 9110 section 11.6.1, where credentials in the header would help. */
      readonly challenge?: string
    }

export interface Provider {
  /** Of those that are asked about one request, the smaller come first: what is known at once spares the rest. */
  readonly cost: number
  /** Its credentials can be guessed, so that failures are counted by address. */
  readonly isGuessable: boolean
  /** Never throws, never rejects. */
  check(request: AccessRequest): Verdict | Promise<Verdict>
}

export function allow(user: string | undefined): Verdict {
  return { allowed: true, user }
}

export function refuse(reason: RefusedAccess, challenge?: string): Verdict {
  return challenge === undefined ? { allowed: false, reason } : { allowed: false, reason, challenge }
}
