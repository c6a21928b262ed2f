// Network interfaces by name or address, as the options of multicast name them.
import { existsSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isLinkLocal, zoneOf } from '../plugin/socket-address.js'
import { plainAddress } from './ip-address.js'
import { socketError } from './socket-errors.js'

/** `os.networkInterfaces()`, or what a test puts in its place. */
export type Interfaces = ReturnType<typeof networkInterfaces>

/**
 * What the system calls the interface in calls about multicast: an address of it for IPv4, `::%name` for IPv6. Throws
 * SOCKET_NO_INTERFACE, with the list of those that exist.
 */
export function multicastInterface(
  wanted: string,
  family: 'IPv4' | 'IPv6',
  interfaces: Interfaces = networkInterfaces(),
): string {
  const address = plainAddress(wanted)
  for (const [name, addresses = []] of Object.entries(interfaces)) {
    const isNamed = name === wanted
    const own = addresses.filter((each) => each.family === family)
    if (family === 'IPv6') {
      if (isNamed || addresses.some((each) => plainAddress(each.address) === address)) return `::%${name}`
    } else {
      const found = own.find((each) => isNamed || each.address === address)
      if (found !== undefined) return found.address
      // The interface exists, with addresses of the other family only.
      if (isNamed) throw noInterface(wanted, `has no ${family} address`, interfaces)
    }
  }
  throw noInterface(wanted, isKnown(wanted) ? 'is down, or has no address' : 'does not exist', interfaces)
}

/**
 * A link-local IPv6 address with its zone, without which it cannot be bound. Unchanged if it needs none, has one, or no
 * interface is wanted. Throws SOCKET_NO_INTERFACE.
 */
export function withZone(host: string, wanted: string | undefined, interfaces?: Interfaces): string {
  if (wanted === undefined || zoneOf(host) !== undefined || !isLinkLocal(host)) return host
  return host + multicastInterface(wanted, 'IPv6', interfaces).slice('::'.length)
}

/** Of an IP address, with or without a zone. */
export function familyOf(host: string): 'IPv4' | 'IPv6' {
  return isIPv6(host) ? 'IPv6' : 'IPv4'
}

/** The system lists only those with a link and an address. */
function isKnown(name: string): boolean {
  return /^[^./][^/]*$/.test(name) && existsSync(`/sys/class/net/${name}`)
}

function noInterface(wanted: string, what: string, interfaces: Interfaces): Error {
  const list = Object.entries(interfaces).map(
    ([name, addresses = []]) => `${name} (${addresses.map(({ address }) => address).join(', ')})`,
  )
  const text = `interface "${wanted}" ${what}; there are: ${list.join('; ') || 'none'}`
  return socketError('SOCKET_NO_INTERFACE', text)
}
