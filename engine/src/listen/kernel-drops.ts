// Datagrams that the kernel dropped, from the last column of /proc/net/udp and /proc/net/udp6 (Linux, proc(5)).
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { parseIp } from './ip-address.js'
import type { SocketAddress } from '../plugin/sockets.js'

const IPV6_BYTES = 16
const WORD = 4
/** Of the local address, when a row is split at white space. */
const LOCAL_COLUMN = 1
const DROPS_COLUMN = 12

/** Of all sockets bound to the address; 0 if the system does not say. `read` replaces the file in tests. */
export function kernelDrops(
  { host, port }: SocketAddress,
  read: (path: string) => string = (path) => readFileSync(path, 'latin1'),
): number {
  const isV6 = isIPv6(host)
  const local = localColumn(host, port, isV6)
  let drops = 0
  try {
    for (const line of read(isV6 ? '/proc/net/udp6' : '/proc/net/udp').split('\n')) {
      const columns = line.trim().split(/\s+/)
      if (columns[LOCAL_COLUMN] === local) drops += Number(columns[DROPS_COLUMN]) || 0
    }
  } catch {
    // Not Linux, or no /proc.
  }
  return drops
}

/** The kernel prints 32 bits of the address at a time, as numbers of the machine: the bytes of each are reversed. */
function localColumn(host: string, port: number, isV6: boolean): string {
  const short = parseIp(host) ?? new Uint8Array(WORD)
  const bytes = isV6 && short.length < IPV6_BYTES ? mapped(short) : short
  let text = ''
  for (let at = 0; at < bytes.length; at += WORD) {
    for (let byte = WORD - 1; byte >= 0; byte--) text += (bytes[at + byte] ?? 0).toString(16).padStart(2, '0')
  }
  return `${text}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
}

/** ::ffff:0:0/96 */
function mapped(quad: Uint8Array): Uint8Array {
  return Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...quad])
}
