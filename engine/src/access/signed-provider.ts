// Provider `signed`: links with an expiry and a signature. A link is checked when a client connects; one that is
// connected stays when the link expires. Where a protocol has no paths, the path is `/` and the name of the stream.
import type { AccessRequest } from '../plugin/auth.js'
import type { SignedOptions } from './auth-schema.js'
import { allow, type Provider, refuse, type Verdict } from './provider.js'
import { readParameter } from './query-parameters.js'
import { covers, isSignature, type LinkParameters, signatureOf } from './signed-link.js'

/** Stands in for unknown keys: their check takes the same time. */
const NO_KEY = ''

export class SignedProvider implements Provider {
  readonly isGuessable = true
  readonly cost = 1
  readonly #keys: ReadonlyMap<string, string>
  readonly #names: LinkParameters
  readonly #wallMs: () => number

  /** `wallMs`: Unix time by the clock of the machine. */
  constructor(options: SignedOptions, wallMs: () => number) {
    this.#keys = new Map(Object.entries(options.keys))
    this.#names = options.parameters
    this.#wallMs = wallMs
  }

  check({ query = '', stream, path = `/${stream}` }: AccessRequest): Verdict {
    const given = this.#read(query)
    if (given === undefined) return refuse('no-credentials')
    const { expires, key, signature, prefix = path } = given
    const secret = this.#keys.get(key)
    const isRight = isSignature(signatureOf(secret ?? NO_KEY, expires, prefix), signature)
    if (!isRight || secret === undefined) return refuse('bad-signature')
    if (!(Number(expires) * 1000 > this.#wallMs())) return refuse('expired')
    return covers(prefix, path) ? allow(undefined, `link ${key} ${signature}`) : refuse('wrong-path')
  }

  /** Undefined if a parameter is missing or appears twice. */
  #read(query: string): { expires: string; key: string; signature: string; prefix: string | undefined } | undefined {
    const [expires, key, signature, prefix] = (['expires', 'key', 'signature', 'prefix'] as const).map((name) =>
      readParameter(query, this.#names[name]),
    )
    if (expires?.length !== 1 || key?.length !== 1 || signature?.length !== 1 || (prefix?.length ?? 0) > 1)
      return undefined
    const [until = '', id = '', digits = ''] = [expires[0], key[0], signature[0]]
    return /^\d{1,12}$/.test(until) ? { expires: until, key: id, signature: digits, prefix: prefix?.[0] } : undefined
  }
}
