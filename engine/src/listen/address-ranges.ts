// Lists of addresses and of ranges in CIDR notation (RFC 4632 section 3.1), for trusted proxies and for access lists.
// IPv4-mapped IPv6 counts as IPv4, on both sides.
import { parseIp } from './ip-address.js'
import { listenError } from './listen-errors.js'

interface Range {
  readonly bytes: Uint8Array
  readonly bits: number
}

const MAPPED_BITS = 96

export class AddressRanges {
  readonly #ranges: readonly Range[]

  /** `10.0.0.0/8`, `2001:db8::/32`, or a single address. Throws LISTEN_BAD_RANGE. */
  constructor(texts: readonly string[]) {
    this.#ranges = texts.map((text) => {
      const range = parseRange(text)
      if (range !== undefined) return range
      throw listenError('LISTEN_BAD_RANGE', `"${text}" is neither an address nor a range such as 10.0.0.0/8`)
    })
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0
  }

  /** False for anything that is not an address. */
  has(address: string): boolean {
    if (this.isEmpty) return false
    const bytes = parseIp(address)
    return bytes !== undefined && this.#ranges.some((range) => covers(range, bytes))
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
  if (match?.[2] === undefined) return { bytes, bits: width }
  const isMapped = width === 32 && text.includes(':')
  const bits = Number(match[2]) - (isMapped ? MAPPED_BITS : 0)
  return bits >= 0 && bits <= width ? { bytes, bits } : undefined
}

function covers({ bytes, bits }: Range, address: Uint8Array): boolean {
  if (address.length !== bytes.length) return false
  const whole = bits >> 3
  for (let at = 0; at < whole; at++) if (address[at] !== bytes[at]) return false
  const rest = 8 - (bits & 7)
  return rest === 8 || (address[whole] ?? 0) >> rest === (bytes[whole] ?? 0) >> rest
}
