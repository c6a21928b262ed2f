// One form of an address, whether an option or a socket names it.

const MAPPED = '::ffff:'

/** Without zone; IPv4 in IPv6 (RFC 4291 2.5.5.2) as IPv4; IPv6 compressed and in lower case, as sockets report it. */
export function plainHost(host: string): string {
  const [address = ''] = host.toLowerCase().split('%', 1)
  if (address.startsWith(MAPPED) && address.includes('.')) return address.slice(MAPPED.length)
  if (!address.includes(':')) return address
  // The URL parser writes the one form of RFC 5952.
  return URL.canParse(`http://[${address}]`) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address
}
