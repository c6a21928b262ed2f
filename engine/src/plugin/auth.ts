// What is asked about a request and what is answered, whoever asks: delivery for its viewers, an output for the requests
// that it answers itself.

/** The parts of a request by which access is decided. */
export interface AccessRequest {
  /** Of the client, without its port; IPv4 or IPv6. */
  readonly address: string
  /** Percent-decoded, without the query. */
  readonly path: string
  /** What follows the `?`, as sent; empty without one. */
  readonly query: string
  /** The header of that name; undefined without one. */
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
      /** Name of who was let in, as the configuration has it; undefined where the provider knows no names. */
      readonly user: string | undefined
    }
  | {
      readonly allowed: false
      readonly reason: RefusedAccess
      /** 401, 403, 429 or 503. */
      readonly status: number
      /** What the answer has to carry: WWW-Authenticate, Retry-After. */
      readonly headers: Readonly<Record<string, string>>
    }

export interface Auth {
  /**
   * Decides by the providers of these names (`auth:` of the YAML); one that lets in is enough, none at all lets
   * everybody in. Answers at once but where a password has to be derived. Throws AUTH_UNKNOWN; never rejects.
   */
  check(names: readonly string[], request: AccessRequest): AccessDecision | Promise<AccessDecision>
}
