// UDP sockets of Node.js answer from the address that the system chooses, which on a wildcard address need not be the one
// that was called: the caller then takes the answer for somebody else's, and drops it.
import { networkInterfaces } from 'node:os'

type Interfaces = ReturnType<typeof networkInterfaces>

/** As warnings of `check`. `address`: `host:port`. */
export function wildcardWarnings(address: string, interfaces?: Interfaces): readonly string[] {
  const warning = wildcardWarning(hostOf(address), interfaces)
  return warning === undefined ? [] : [warning]
}

export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '')
}

/** What an operator should know about a listener at this host; undefined if its answers always come from there. */
export function wildcardWarning(host: string, interfaces: Interfaces = networkInterfaces()): string | undefined {
  const families = { '0.0.0.0': ['IPv4'], '::': ['IPv4', 'IPv6'] }[host]
  if (families === undefined) return undefined
  const addresses = Object.values(interfaces)
    .flatMap((each) => each ?? [])
    .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address))
  const crowded = families.find((family) => addresses.filter((each) => each.family === family).length > 1)
  if (crowded === undefined) return undefined
  const named = addresses.filter(({ family }) => family === crowded).map(({ address }) => address)
  return `this machine has ${named.length} ${crowded} addresses (${named.slice(0, 4).join(', ')}): callers of any but the first may get no answer; give the listener the address that is called`
}
