// Addresses that are not of the public Internet: private, loopback, link-local, and the others of which no server out there
// may send us to one. IANA IPv4 and IPv6 Special-Purpose Address Registries.
import { BlockList, isIP } from 'node:net'

const IPV4: readonly (readonly [net: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
]
const IPV6: readonly (readonly [net: string, prefix: number])[] = [
  // The unspecified and the loopback address, and IPv4-compatible ones.
  ['::', 96],
  ['64:ff9b:1::', 48],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]

/** `address`: an IPv4 or IPv6 address. What cannot be read counts as internal. */
export function isInternalAddress(address: string): boolean {
  const [bare = ''] = address.split('%')
  const version = isIP(bare)
  if (version === 0) return true
  const list = new BlockList()
  for (const [net, prefix] of IPV4) list.addSubnet(net, prefix, 'ipv4')
  if (version === 4) return list.check(bare)
  for (const [net, prefix] of IPV6) list.addSubnet(net, prefix, 'ipv6')
  const inner = innerIpv4(bare)
  return inner === undefined ? list.check(bare, 'ipv6') : list.check(inner)
}

/** The IPv4 address that is reached through an IPv6 one: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056). */
function innerIpv4(address: string): string | undefined {
  const groups = groupsOf(address)
  const starts = (...begin: readonly number[]): boolean => begin.every((group, index) => groups[index] === group)
  const at = starts(0, 0, 0, 0, 0, 0xffff) || starts(0x64, 0xff9b, 0, 0, 0, 0) ? 6 : starts(0x2002) ? 1 : undefined
  if (at === undefined) return undefined
  const [high = 0, low = 0] = groups.slice(at)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  // The class URL writes the last 32 bits as groups, too.
  const { hostname } = new URL(`http://[${address}]/`)
  const [head = '', tail] = hostname.slice(1, -1).split('::')
  const read = (text: string): readonly number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const [first, last] = [read(head), read(tail ?? '')]
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
}
