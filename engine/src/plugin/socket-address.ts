// The addresses that options of kind `address` hold, taken apart.
import { isIP } from 'node:net'
import { BIND_ADDRESS } from './bind-address-pattern.js'
import type { SocketAddress } from './sockets.js'

const IPV4_MULTICAST = /^2(2[4-9]|3\d)\./
const IPV6_MULTICAST = /^ff/i
/** fe80::/10, and the groups whose scope is one link or the interface itself (RFC 4291 sections 2.5.6 and 2.7). */
const LINK_LOCAL = /^(?:fe[89ab]|ff[\da-f][12])/i

/** Host and port of a value that `address()` has accepted. Throws a TypeError for other text. */
export function parseSocketAddress(text: string): SocketAddress {
  const match = BIND_ADDRESS.exec(text)
  const host = match?.[1] ?? match?.[2]
  if (host === undefined) throw new TypeError(`not an address: ${text}`)
  return { host, port: Number(match?.[3]) }
}

/** The host is the address of a multicast group: 224.0.0.0/4 or ff00::/8. */
export function isMulticast(host: string): boolean {
  return isIP(host) === 6 ? IPV6_MULTICAST.test(host) : IPV4_MULTICAST.test(host)
}

/** The host is an IPv6 address that means something on one interface only: with a zone, `fe80::1%eth0`. */
export function isLinkLocal(host: string): boolean {
  return isIP(host) === 6 && LINK_LOCAL.test(host)
}

/** The interface that the address names itself, `eth0` of `ff02::1%eth0`; undefined if it names none. */
export function zoneOf(host: string): string | undefined {
  const at = host.indexOf('%')
  return at < 0 ? undefined : host.slice(at + 1)
}
