// HAProxy's PROXY protocol ("The PROXY protocol, versions 1 & 2", sections 2.1 and 2.2): the header that a balancer
// sends before anything else to name the client of the connection. Parsed strictly, and only in the configured version:
// guessing would let a client choose its address.
import { isIPv4, isIPv6 } from 'node:net'
import type { Peer } from './client-address.js'
import { plainAddress, plainIp, renderIp } from './ip-address.js'

export type ProxyVersion = 'v1' | 'v2'

/** `done`: `client` is undefined if the balancer speaks for itself (health checks) or does not know it. */
export type ProxyReading =
  | { readonly state: 'more' }
  | { readonly state: 'bad' }
  | { readonly state: 'done'; readonly length: number; readonly client: Peer | undefined }

/** Section 2.1: the longest line, including CR LF. */
const MAX_V1_BYTES = 107
/** `PROXY ` */
const V1_PREFIX = [0x50, 0x52, 0x4f, 0x58, 0x59, 0x20]
const V1_ADDRESSES = /^(TCP4|TCP6) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/
const V1_UNKNOWN = /^UNKNOWN(?: [\x20-\x7e]*)?$/
const LF = 0x0a
/** Section 2.2. */
const V2_SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
const V2_HEAD_BYTES = 16
/** Addresses and TLVs; the wire allows 65535, balancers send at most a few hundred (216 for UNIX paths). */
const MAX_V2_BODY_BYTES = 4096
const V2_LOCAL = 0x20
const V2_PROXY = 0x21
/** Length of an address in bytes, by address family and transport; 0 if there is no usable one. */
const V2_FAMILIES: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 4],
  [0x21, 16],
  [0x31, 0],
])

/** The longest header accepted. */
export const MAX_PROXY_HEADER_BYTES = V2_HEAD_BYTES + MAX_V2_BODY_BYTES

const MORE: ProxyReading = { state: 'more' }
const BAD: ProxyReading = { state: 'bad' }

/** Takes all bytes since the start of the connection. `bad` as soon as they can no longer become a header. */
export function parseProxyHeader(bytes: Uint8Array, version: ProxyVersion): ProxyReading {
  return version === 'v1' ? parseV1(bytes) : parseV2(bytes)
}

function parseV1(bytes: Uint8Array): ProxyReading {
  if (!startsLike(bytes, V1_PREFIX)) return BAD
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf(LF)
  if (end < 0) return bytes.length >= MAX_V1_BYTES ? BAD : MORE
  const line = String.fromCharCode(...bytes.subarray(V1_PREFIX.length, end + 1))
  if (!line.endsWith('\r\n')) return BAD
  const text = line.slice(0, -2)
  const length = end + 1
  if (V1_UNKNOWN.test(text)) return { state: 'done', length, client: undefined }
  const [, family, source = '', destination = '', sourcePort, destinationPort] = V1_ADDRESSES.exec(text) ?? []
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6
  if (!isAddress(source) || !isAddress(destination)) return BAD
  const port = Number(sourcePort)
  if (port > 65_535 || Number(destinationPort) > 65_535) return BAD
  return { state: 'done', length, client: { address: plainAddress(source), port } }
}

function parseV2(bytes: Uint8Array): ProxyReading {
  if (!startsLike(bytes, V2_SIGNATURE)) return BAD
  if (bytes.length < V2_HEAD_BYTES) return MORE
  const command = bytes[12]
  const bodyBytes = readUint16(bytes, 14)
  if ((command !== V2_LOCAL && command !== V2_PROXY) || bodyBytes > MAX_V2_BODY_BYTES) return BAD
  // For LOCAL the family has no meaning (2.2): anything after it is skipped.
  const addressBytes = command === V2_LOCAL ? 0 : V2_FAMILIES.get(bytes[13] ?? 0)
  if (addressBytes === undefined) return BAD
  // Source, destination, two ports; TLVs after them are skipped.
  if (addressBytes > 0 && bodyBytes < addressBytes * 2 + 4) return BAD
  const length = V2_HEAD_BYTES + bodyBytes
  if (bytes.length < length) return MORE
  return { state: 'done', length, client: addressBytes === 0 ? undefined : sourceIn(bytes, addressBytes) }
}

function sourceIn(bytes: Uint8Array, addressBytes: number): Peer {
  const address = renderIp(plainIp(bytes.slice(V2_HEAD_BYTES, V2_HEAD_BYTES + addressBytes)))
  return { address, port: readUint16(bytes, V2_HEAD_BYTES + addressBytes * 2) }
}

function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

function startsLike(bytes: Uint8Array, wanted: readonly number[]): boolean {
  return wanted.every((byte, at) => at >= bytes.length || bytes[at] === byte)
}
