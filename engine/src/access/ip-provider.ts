// Provider `ip`: decides by the address of the client. Denied addresses are refused; if any are allowed, only those of
// the rest are admitted.
import { isIP } from 'node:net'
import { AddressRanges } from '../listen/address-ranges.js'
import type { AccessRequest } from '../plugin/auth.js'
import type { IpOptions } from './auth-schema.js'
import { allow, type Provider, refuse, type Verdict } from './provider.js'

export class IpProvider implements Provider {
  readonly isGuessable = false
  readonly cost = 0
  readonly #allow: AddressRanges | undefined
  readonly #deny: AddressRanges

  constructor(options: IpOptions) {
    this.#allow = options.allow.length === 0 ? undefined : new AddressRanges(options.allow)
    this.#deny = new AddressRanges(options.deny)
  }

  check({ address }: AccessRequest): Verdict {
    // Anything that is not an address could be anyone.
    if (isIP(address) === 0 || this.#deny.has(address)) return refuse('address')
    return this.#allow === undefined || this.#allow.has(address) ? allow(undefined, undefined, true) : refuse('address')
  }
}
