// The cookie of a listener: proves that a conclusion comes from where its induction came from, without state kept
// between the two.
import { createHmac } from 'node:crypto'

const MINUTE_US = 60_000_000

export interface PeerAddress {
  readonly address: string
  readonly port: number
}

/** Returns the cookie for `peer` at this time; never 0, which means "no cookie". */
export function makeCookie(secret: Uint8Array, peer: PeerAddress, nowUs: number): number {
  return cookieOf(secret, peer, Math.floor(nowUs / MINUTE_US))
}

/** Cookies of this minute and of the last one are valid. */
export function isValidCookie(secret: Uint8Array, peer: PeerAddress, nowUs: number, cookie: number): boolean {
  const minute = Math.floor(nowUs / MINUTE_US)
  return cookie === cookieOf(secret, peer, minute) || cookie === cookieOf(secret, peer, minute - 1)
}

function cookieOf(secret: Uint8Array, { address, port }: PeerAddress, minute: number): number {
  const digest = createHmac('sha256', secret).update(`${address}|${port}|${minute}`).digest()
  return digest.readUInt32BE(0) || 1
}
