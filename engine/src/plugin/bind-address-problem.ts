// Says what is wrong with an address to listen on, and what to write instead.
import { isIP } from 'node:net'
import { BIND_ADDRESS } from './bind-address-pattern.js'

const LONGEST_PORT = 65_535
const FORM = 'must be an address and a port, such as 127.0.0.1:8000, 0.0.0.0:8000 or [::]:8000'
/** What other programs take for "every address of this machine". */
const EVERY_ADDRESS = ['', '*', '+', '[*]', '[]']
const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?$/

/** Undefined for an address that can be listened on. `value` is what the option has. */
export function bindAddressProblem(value: unknown): string | undefined {
  if (typeof value === 'number') return `${FORM}: in front of the port, say where to listen`
  if (typeof value !== 'string') return FORM
  const match = BIND_ADDRESS.exec(value)
  const [, ipv6, host, port] = match ?? []
  if (host !== undefined && EVERY_ADDRESS.includes(host)) return everyAddress(port ?? '')
  if (match === null) return problemOfForm(value)
  if (Number(port) > LONGEST_PORT) return `must have a port of at most ${LONGEST_PORT}`
  if (ipv6 !== undefined && isIP(ipv6) !== 6) return FORM
  if (host === undefined) return undefined
  // Such a name would be looked up, and be an address all the same, or none.
  if (/^[\d.]+$/.test(host) && isIP(host) !== 4) return `${FORM}: ${host} is no IPv4 address`
  return HOST_NAME.test(host) ? undefined : FORM
}

function problemOfForm(text: string): string {
  const colon = text.lastIndexOf(':')
  const [host, port] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  const hasPort = /^\d{1,5}$/.test(port)
  if (hasPort && EVERY_ADDRESS.includes(host)) return everyAddress(port)
  if (/^[a-z]+:\/\//i.test(text)) return `${FORM}, without a scheme and a path`
  if (/^\d{1,5}$/.test(text)) return `${FORM}: in front of the port, say where to listen`
  if (isIP(text) === 6 || (hasPort && isIP(host) === 6)) return `${FORM}: an IPv6 address stands in brackets`
  if (HOST_NAME.test(text) || text === '*') return `${FORM}: the port is missing`
  return FORM
}

function everyAddress(port: string): string {
  return `must name an address: 0.0.0.0:${port} is every IPv4 address of this machine, [::]:${port} every IPv6 address too`
}
