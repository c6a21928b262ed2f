// Decides whether a request is allowed: called by delivery for its viewers, and by an output for the requests that it
// responds to itself.

/** The parts of a request that decide about access. */
export interface AccessRequest {
  /** Address of the client, without its port; IPv4 or IPv6. */
  readonly address: string
  /** Percent-decoded, without the query. */
  readonly path: string
  /** What follows the `?`, as sent; empty if there is none. */
  readonly query: string
  /** The header Authorization; undefined if there is none. */
  readonly authorization: string | undefined
}

/** Why a request was refused; also the label of the counters. */
export type RefusedAccess =
  | 'no-credentials'
  | 'bad-credentials'
  | 'bad-signature'
  | 'expired'
  | 'wrong-path'
  | 'address'
  | 'too-many-failures'
  | 'busy'

export type AccessDecision =
  | {
      readonly allowed: true
      /** Name of the admitted user, as in the configuration; undefined if the provider knows no names. */
      readonly user: string | undefined
    }
  | {
      readonly allowed: false
      readonly reason: RefusedAccess
      /** 401, 403, 429 or 503. */
      readonly status: number
      /** Headers that the response must have: WWW-Authenticate, Retry-After. */
      readonly headers: Readonly<Record<string, string>>
    }

export interface Auth {
  /**
   * Decides by the providers of these names (`auth:` of the YAML): any of them can admit the request, and without names
   * everybody is admitted. Returns synchronously unless a password has to be hashed. Throws AUTH_UNKNOWN; never
   * rejects.
   */
  check(names: readonly string[], request: AccessRequest): AccessDecision | Promise<AccessDecision>
}
