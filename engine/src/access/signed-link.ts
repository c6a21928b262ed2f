// Links that carry their own permission: an expiry, a path, and an HMAC-SHA256 (RFC 2104) over both.
//
// The signature is the HMAC of `<expires>\n<prefix>` in hexadecimal digits. `expires` is a Unix time in seconds,
// `prefix` the decoded path; a prefix that ends with a slash covers everything below it, any other only itself. In a
// link without a prefix, it is the requested path.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Names of the parameters in the query. */
export interface LinkParameters {
  readonly expires: string
  readonly prefix: string
  readonly key: string
  readonly signature: string
}

export const LINK_PARAMETERS: LinkParameters = {
  expires: 'expires',
  prefix: 'prefix',
  key: 'key',
  signature: 'signature',
}

export interface LinkOptions {
  /** The id of the key in the configuration. */
  readonly keyId: string
  readonly key: string
  /** Unix time in seconds. */
  readonly expires: number
  /** By default the path of the URL. */
  readonly prefix?: string
  /** By default `expires`, `prefix`, `key`, `signature`. */
  readonly parameters?: Partial<LinkParameters>
}

/** The URL with the parameters of a signed link. Throws TypeError if it is not a URL. */
export function signLink(url: string | URL, options: LinkOptions): string {
  const names = { ...LINK_PARAMETERS, ...options.parameters }
  const signed = new URL(url)
  const expires = String(Math.floor(options.expires))
  const prefix = options.prefix ?? decodeURIComponent(signed.pathname)
  signed.searchParams.set(names.expires, expires)
  if (options.prefix !== undefined) signed.searchParams.set(names.prefix, prefix)
  signed.searchParams.set(names.key, options.keyId)
  signed.searchParams.set(names.signature, signatureOf(options.key, expires, prefix).toString('hex'))
  return signed.href
}

export function signatureOf(key: string, expires: string, prefix: string): Buffer {
  return createHmac('sha256', key).update(`${expires}\n${prefix}`).digest()
}

/** `given`: as in the link; compared in constant time. */
export function isSignature(expected: Buffer, given: string): boolean {
  const isWellFormed = /^[0-9a-f]{64}$/i.test(given)
  return timingSafeEqual(expected, isWellFormed ? Buffer.from(given, 'hex') : Buffer.alloc(32)) && isWellFormed
}

/** Whether a prefix covers a path. */
export function covers(prefix: string, path: string): boolean {
  return prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix
}
