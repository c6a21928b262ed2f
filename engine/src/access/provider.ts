// One way to decide about a request, as the section `auth:` declares it.
import type { AccessRequest, RefusedAccess } from '../plugin/auth.js'

export type Verdict =
  | { readonly allowed: true; readonly user: string | undefined }
  | {
      readonly allowed: false
      readonly reason: RefusedAccess
      /** A challenge of RFC 9110 section 11.6.1, if credentials in the header would help. */
      readonly challenge?: string
    }

export interface Provider {
  /** Cheap providers are asked first: a quick answer can save the others. */
  readonly cost: number
  /** Its credentials can be guessed, so failures are counted by address. */
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
