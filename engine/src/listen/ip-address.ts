// IP addresses as bytes and as text, with one form of each: 4 bytes for IPv4, also if it is mapped into IPv6 (RFC 4291
// section 2.5.5.2), else 16. Code that compares, counts or filters addresses uses these forms, never text as received.
import { isIPv4, isIPv6 } from 'node:net'

const IPV4_BYTES = 4
const IPV6_BYTES = 16
const GROUPS = 8
/** ::ffff:0:0/96 */
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/** Undefined for anything that is not an address. A zone (`%eth0`) is dropped: it means nothing on another machine. */
export function parseIp(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return parseQuad(text)
  if (!isIPv6(text)) return undefined
  return plainIp(parseGroups(text.split('%', 1)[0] ?? ''))
}

/** RFC 5952 without its section 5 (no dotted quads): lower case, the longest run of zero groups as `::`. */
export function renderIp(bytes: Uint8Array): string {
  if (bytes.length === IPV4_BYTES) return bytes.join('.')
  const groups = Array.from({ length: GROUPS }, (_, at) => ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0))
  const { at, length } = longestZeroRun(groups)
  const words = groups.map((group) => group.toString(16))
  if (length < 2) return words.join(':')
  return `${words.slice(0, at).join(':')}::${words.slice(at + length).join(':')}`
}

/** IPv4 if it is mapped into IPv6, else unchanged. */
export function plainIp(bytes: Uint8Array): Uint8Array {
  const isMapped = bytes.length === IPV6_BYTES && MAPPED_PREFIX.every((byte, at) => bytes[at] === byte)
  return isMapped ? bytes.subarray(MAPPED_PREFIX.length) : bytes
}

/** The canonical text of an address; anything that is not an address is returned unchanged. */
export function plainAddress(text: string): string {
  // The most common form from sockets; skips the detour through bytes.
  if (isIPv4(text)) return text
  const bytes = parseIp(text)
  return bytes === undefined ? text : renderIp(bytes)
}

/**
 * The part of an address that a client can't vary: its IPv4 address, or the /64 of its IPv6 address, within which it
 * has 2^64 addresses (RFC 4291 section 2.5.1). For limits per address.
 */
export function limitKeyOf(address: string): string {
  if (isIPv4(address)) return address
  const bytes = parseIp(address)
  if (bytes === undefined || bytes.length === IPV4_BYTES) return plainAddress(address)
  return `${renderIp(Uint8Array.from(bytes, (byte, at) => (at < IPV6_BYTES / 2 ? byte : 0)))}/64`
}

function parseQuad(text: string): Uint8Array {
  return Uint8Array.from(text.split('.'), Number)
}

/** The text must be IPv6. */
function parseGroups(text: string): Uint8Array {
  const [head = '', tail] = text.split('::')
  const front = groupBytes(head)
  const back = tail === undefined ? [] : groupBytes(tail)
  const gap = Array.from({ length: IPV6_BYTES - front.length - back.length }, () => 0)
  return Uint8Array.from([...front, ...gap, ...back])
}

function groupBytes(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return [...parseQuad(group)]
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

function longestZeroRun(groups: readonly number[]): { readonly at: number; readonly length: number } {
  let best = { at: 0, length: 0 }
  let from = 0
  for (let at = 0; at <= groups.length; at++) {
    if (groups[at] === 0) continue
    if (at - from > best.length) best = { at: from, length: at - from }
    from = at + 1
  }
  return best
}
