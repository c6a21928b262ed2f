// Host names and addresses from a Host header, from `host:port` and from a socket, normalised to one form.
import { BlockList, isIP } from 'node:net'

/** RFC 9110 section 7.2: a name, an IPv4 address or an IPv6 address in brackets, and a port. */
const HOST = /^(?:\[([0-9a-fA-F:.]+)(?:%[\w.-]+)?\]|([A-Za-z0-9._-]+))(?::\d{0,5})?$/
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** The host of `host[:port]`, in lower case, IPv6 without brackets; undefined if there is none. */
export function hostOf(hostAndPort: string): string | undefined {
  const match = HOST.exec(hostAndPort.trim())
  const host = match?.[1] ?? match?.[2]
  return host === undefined ? undefined : plainAddress(host)
}

/** An address of a socket in lower case, without zone; an IPv4-mapped IPv6 address as IPv4. */
export function plainAddress(address: string): string {
  const plain = (address.split('%', 1)[0] ?? '').toLowerCase()
  return MAPPED_IPV4.exec(plain)?.[1] ?? plain
}

/** True for an address of the loopback interface; names are never looked up. */
export function isLoopback(address: string): boolean {
  const version = isIP(address)
  return version !== 0 && LOOPBACK.check(address, version === 4 ? 'ipv4' : 'ipv6')
}
