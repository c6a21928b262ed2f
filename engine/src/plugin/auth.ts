// Decides who may watch or publish: called by the engine for viewers and publishers of every protocol. A protocol
// translates what its client presents into these words; no provider knows how it was sent.

/** What the client wants to do with the stream. */
export const ACCESS_ACTIONS = ['read', 'publish'] as const

export type AccessAction = (typeof ACCESS_ACTIONS)[number]

/** What decides about access. A field is undefined where the protocol has no such thing, or the client has sent none. */
export interface AccessRequest {
  readonly action: AccessAction
  /** `http`, `https`, `tcp`, `srt`, `rtmp` ... */
  readonly protocol: string
  /**
   * The name of the stream: the key under which it is published. For a viewer, the key that the pipeline was copied for,
   * or else the name of the pipeline. Empty for what belongs to no pipeline, such as the page of a service.
   */
  readonly stream: string
  /** Address of the client, without its port; IPv4 or IPv6. */
  readonly address: string
  /** Percent-decoded, without the query. */
  readonly path?: string | undefined
  /** What follows the `?`, as sent. */
  readonly query?: string | undefined
  readonly user?: string | undefined
  /** A password without a user, or an empty token, stands for credentials that could not be read. */
  readonly password?: string | undefined
  /** A bearer token, or the one field that the protocol has for a secret. Not a token within the query. */
  readonly token?: string | undefined
  /** How the client's software calls itself. */
  readonly agent?: string | undefined
}

/** Why a client was refused; also the label of the counters. */
export type RefusedAccess =
  | 'no-credentials'
  | 'bad-credentials'
  | 'bad-signature'
  | 'expired'
  | 'denied'
  | 'wrong-path'
  | 'wrong-action'
  | 'wrong-protocol'
  | 'address'
  | 'too-many-failures'
  | 'failed'
  | 'busy'

export interface ExchangeableCredential {
  /** A digest, the same for the same credential as long as the engine runs. */
  readonly id: string
  /** The decision depends on the address: a session is for that alone. */
  readonly isForAddress: boolean
}

export type AccessDecision =
  | {
      readonly allowed: true
      /** Name of the admitted user, as in the configuration; undefined if the provider knows no names. */
      readonly user: string | undefined
      /**
       * The client has presented something that it may exchange for a session, and need not present again: a token, a
       * signed link, a password. Undefined where each request says by itself that it is admitted, as with addresses.
       */
      readonly credential?: ExchangeableCredential
      /** What the protocol encrypts the connection with, where it has such a thing: see `AuthVerdict`. */
      readonly secret?: string
      /** To be called if there is no connection after all: see `AuthVerdict`. Never throws. */
      readonly giveBack?: () => void
    }
  | {
      readonly allowed: false
      readonly reason: RefusedAccess
      /** What the provider says about it, for people: printable, one line. By default nothing. */
      readonly why?: string
      /** 401, 403, 429 or 503; other protocols translate it. */
      readonly status: number
      /** Headers that a response over HTTP must have: WWW-Authenticate, Retry-After. Empty for other protocols. */
      readonly headers: Readonly<Record<string, string>>
    }

export interface Auth {
  /**
   * Decides by the providers of these names (`auth:` of the YAML): any of them can admit the client, and without names
   * everybody is admitted. Returns synchronously unless a password has to be hashed or a plugin needs time. Throws
   * AUTH_UNKNOWN; never rejects.
   */
  check(names: readonly string[], request: AccessRequest): AccessDecision | Promise<AccessDecision>
}
