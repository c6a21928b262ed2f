// Provider `bearer`: a token, over HTTP in the header Authorization, RFC 6750 section 2.1.
import type { AccessRequest } from '../plugin/auth.js'
import type { BearerOptions } from './auth-schema.js'
import { allow, type Provider, refuse, type Verdict } from './provider.js'
import { TokenSet } from './token-set.js'

export class BearerProvider implements Provider {
  readonly isGuessable = true
  readonly cost = 1
  readonly #tokens: TokenSet
  readonly #challenge: string

  constructor(options: BearerOptions) {
    this.#tokens = new TokenSet(options.tokens)
    this.#challenge = `Bearer realm="${options.realm}"`
  }

  check({ token }: AccessRequest): Verdict {
    if (token === undefined) return refuse('no-credentials', this.#challenge)
    const found = this.#tokens.find(token)
    // RFC 6750 section 3.1.
    if (found === undefined) return refuse('bad-credentials', `${this.#challenge}, error="invalid_token"`)
    return allow(found.name, `token ${token}`)
  }
}
