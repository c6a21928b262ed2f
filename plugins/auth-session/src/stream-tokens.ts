// Which bearer token creates sessions of which stream, and for what.
import type { AccessAction } from '@millrace/engine/plugin'
import type { KeyedDigest } from './keyed-digest.js'
import type { SessionOptions } from './options.js'

/** What a token is good for. */
export interface Grant {
  readonly stream: string
  /** The only thing that its sessions may do; undefined: both. */
  readonly action: AccessAction | undefined
  /** Tells the token from others. */
  readonly digest: Buffer
}

/** `unknown`: no stream has this token. `other`: one has, but not this one. */
export type TokenCheck = Grant | 'unknown' | 'other'

export class StreamTokens {
  readonly #digest: KeyedDigest
  readonly #grants = new Map<string, readonly Grant[]>()
  /** Of all tokens. */
  readonly #known = new Set<string>()

  constructor(streams: SessionOptions['streams'], digest: KeyedDigest) {
    this.#digest = digest
    for (const [stream, tokens] of Object.entries(streams)) {
      const grant = (token: string, action?: AccessAction): Grant => ({ stream, action, digest: digest.of(token) })
      const grants =
        typeof tokens === 'string' ? [grant(tokens)] : [grant(tokens.publish, 'publish'), grant(tokens.request, 'read')]
      this.#grants.set(stream, grants)
      for (const { digest: own } of grants) this.#known.add(own.toString('base64'))
    }
  }

  has(stream: string): boolean {
    return this.#grants.has(stream)
  }

  check(stream: string, token: string): TokenCheck {
    const given = this.#digest.of(token)
    const grant = this.#grants.get(stream)?.filter(({ digest }) => this.#digest.isSame(digest, given))[0]
    return grant ?? (this.#known.has(given.toString('base64')) ? 'other' : 'unknown')
  }

  /** The token still creates such sessions. */
  isValid({ stream, action, digest }: Grant): boolean {
    const grants = this.#grants.get(stream) ?? []
    return grants.some((grant) => grant.action === action && this.#digest.isSame(grant.digest, digest))
  }
}
