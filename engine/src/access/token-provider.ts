// Provider `token`: a token in the query, for players that cannot send headers, or where the protocol has a field for it.
// RFC 9110 has no challenge for it, so a refusal over HTTP is a 403.
import type { AccessRequest } from '../plugin/auth.js'
import type { TokenOptions } from './auth-schema.js'
import { allow, type Provider, refuse, type Verdict } from './provider.js'
import { readParameter } from './query-parameters.js'
import { TokenSet } from './token-set.js'

export class TokenProvider implements Provider {
  readonly isGuessable = true
  readonly cost = 1
  readonly #tokens: TokenSet
  readonly #parameter: string

  constructor(options: TokenOptions) {
    this.#tokens = new TokenSet(options.tokens)
    this.#parameter = options.parameter
  }

  check({ query = '', token: sent }: AccessRequest): Verdict {
    const [token = sent, ...more] = readParameter(query, this.#parameter)
    if (token === undefined) return refuse('no-credentials')
    // Two programs may interpret two values differently.
    const found = more.length === 0 ? this.#tokens.find(token) : undefined
    return found === undefined ? refuse('bad-credentials') : allow(found.name, `token ${token}`)
  }
}
