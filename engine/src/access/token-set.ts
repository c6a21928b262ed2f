// Tokens that are asked for by value. They are found by a digest whose key is this process's: what a lookup takes longer
// or shorter says nothing about a token.
import { timingSafeEqual } from 'node:crypto'
import { KeyedDigest } from './keyed-digest.js'

/** A list, or a map from the name of who has it. */
export type Tokens = readonly string[] | Readonly<Record<string, string>>

interface Held {
  readonly digest: Buffer
  readonly name: string | undefined
}

export class TokenSet {
  readonly #digest = new KeyedDigest()
  readonly #held = new Map<string, Held>()

  constructor(tokens: Tokens) {
    const named: readonly (readonly [string | undefined, string])[] = isList(tokens)
      ? tokens.map((token) => [undefined, token])
      : Object.entries(tokens)
    for (const [name, token] of named) {
      const digest = this.#digest.of(token)
      this.#held.set(digest.toString('base64'), { digest, name })
    }
  }

  /** Whose it is; undefined if it is nobody's. */
  find(token: string): { readonly name: string | undefined } | undefined {
    const digest = this.#digest.of(token)
    const held = this.#held.get(digest.toString('base64'))
    return held !== undefined && timingSafeEqual(held.digest, digest) ? { name: held.name } : undefined
  }
}

function isList(tokens: Tokens): tokens is readonly string[] {
  return Array.isArray(tokens)
}
