// The addresses that options of kind `address` hold, taken apart.
import { isIP } from 'node:net'
import { BIND_ADDRESS } from './bind-address-pattern.js'
import type { SocketAddress } from './sockets.js'

const IPV4_MULTICAST = /^2(2[4-9]|3\d)\./
const IPV6_MULTICAST = /^ff/i

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
