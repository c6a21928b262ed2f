// Lists of addresses and of ranges in CIDR notation (RFC 4632 section 3.1), for trusted proxies and for access lists.
// IPv4-mapped IPv6 counts as IPv4, on both sides.
import { BlockList, isIP } from 'node:net'
import { parseIp, plainAddress, renderIp } from './ip-address.js'
import { listenError } from './listen-errors.js'

interface Range {
  readonly address: string
  readonly bits: number
  readonly family: 'ipv4' | 'ipv6'
}

const MAPPED_BITS = 96

export class AddressRanges {
  readonly isEmpty: boolean
  /** One list for each family: in a common list `::/0` would contain every IPv4 address, too. */
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() }

  /** `10.0.0.0/8`, `2001:db8::/32`, or a single address. Throws LISTEN_BAD_RANGE. */
  constructor(texts: readonly string[]) {
    this.isEmpty = texts.length === 0
    for (const text of texts) {
      const range = parseRange(text)
      if (range === undefined) {
        throw listenError('LISTEN_BAD_RANGE', `"${text}" is neither an address nor a range such as 10.0.0.0/8`)
      }
      this.#lists[range.family].addSubnet(range.address, range.bits, range.family)
    }
  }

  /** False for anything that is not an address. */
  has(address: string): boolean {
    if (this.isEmpty) return false
    const plain = plainAddress(address)
    const version = isIP(plain)
    if (version === 0) return false
    const family = version === 4 ? 'ipv4' : 'ipv6'
    return this.#lists[family].check(plain, family)
  }
}

/** Whether AddressRanges accepts this text. */
export function isAddressRange(text: string): boolean {
  return parseRange(text) !== undefined
}

/** Bits after the prefix are ignored: `10.1.2.3/8` means `10.0.0.0/8`, as is usual. */
function parseRange(text: string): Range | undefined {
  const match = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(text)
  const bytes = parseIp(match?.[1] ?? '')
  if (bytes === undefined) return undefined
  const width = bytes.length * 8
  const address = renderIp(bytes)
  const family = width === 32 ? 'ipv4' : 'ipv6'
  if (match?.[2] === undefined) return { address, bits: width, family }
  const isMapped = width === 32 && text.includes(':')
  const bits = Number(match[2]) - (isMapped ? MAPPED_BITS : 0)
  return bits >= 0 && bits <= width ? { address, bits, family } : undefined
}
