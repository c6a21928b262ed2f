// Datagrams that the kernel dropped, from the last column of /proc/net/udp and /proc/net/udp6 (Linux, proc(5)). The files
// list all sockets of the machine: one reading serves all inputs that are asked in the same scrape.
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { parseIp } from './ip-address.js'
import type { SocketAddress } from '../plugin/sockets.js'

const IPV6_BYTES = 16
const WORD = 4
/** Of the local address, when a row is split at white space. */
const LOCAL_COLUMN = 1
const DROPS_COLUMN = 12
/** A reading is this old at most. */
const MOST_AGE_MS = 1000

interface Reading {
  readonly atMs: number
  /** By local address as the kernel prints it: of all sockets that are bound to it. */
  readonly drops: ReadonlyMap<string, number>
}

export class KernelDrops {
  readonly #nowMs: () => number
  readonly #read: (path: string) => string
  readonly #readings = new Map<string, Reading>()

  constructor(nowMs = (): number => performance.now(), read = (path: string): string => readFileSync(path, 'latin1')) {
    this.#nowMs = nowMs
    this.#read = read
  }

  /** Of all sockets bound to the address, up to a second ago; 0 if the system does not say. */
  of({ host, port }: SocketAddress): number {
    const isV6 = isIPv6(host)
    const drops = this.#drops(isV6 ? '/proc/net/udp6' : '/proc/net/udp')
    return drops.get(localColumn(host, port, isV6)) ?? 0
  }

  #drops(path: string): ReadonlyMap<string, number> {
    const nowMs = this.#nowMs()
    const before = this.#readings.get(path)
    if (before !== undefined && nowMs - before.atMs < MOST_AGE_MS) return before.drops
    const drops = this.#parse(path)
    this.#readings.set(path, { atMs: nowMs, drops })
    return drops
  }

  #parse(path: string): ReadonlyMap<string, number> {
    const drops = new Map<string, number>()
    try {
      for (const line of this.#read(path).split('\n')) {
        const columns = line.trim().split(/\s+/)
        const local = columns[LOCAL_COLUMN] ?? ''
        drops.set(local, (drops.get(local) ?? 0) + (Number(columns[DROPS_COLUMN]) || 0))
      }
    } catch {
      // Not Linux, or no /proc.
    }
    return drops
  }
}

/** Of this process. */
export const KERNEL_DROPS = new KernelDrops()

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
