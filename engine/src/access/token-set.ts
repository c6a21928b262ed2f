// Tokens that are looked up by value. The lookup uses a digest with a key of this process, so the time that it takes
// reveals nothing about a token.
import { timingSafeEqual } from 'node:crypto'
import { KeyedDigest } from './keyed-digest.js'

/** A list, or a map from user names to tokens. */
export type Tokens = readonly string[] | Readonly<Record<string, string>>

interface KnownToken {
  readonly digest: Buffer
  readonly name: string | undefined
}

export class TokenSet {
  readonly #digest = new KeyedDigest()
  readonly #tokens = new Map<string, KnownToken>()

  constructor(tokens: Tokens) {
    const named: readonly (readonly [string | undefined, string])[] = isList(tokens)
      ? tokens.map((token) => [undefined, token])
      : Object.entries(tokens)
    for (const [name, token] of named) {
      const digest = this.#digest.of(token)
      this.#tokens.set(digest.toString('base64'), { digest, name })
    }
  }

  /** The user of a token; undefined if the token is unknown. */
  find(token: string): { readonly name: string | undefined } | undefined {
    const digest = this.#digest.of(token)
    const found = this.#tokens.get(digest.toString('base64'))
    return found !== undefined && timingSafeEqual(found.digest, digest) ? { name: found.name } : undefined
  }
}

function isList(tokens: Tokens): tokens is readonly string[] {
  return Array.isArray(tokens)
}
