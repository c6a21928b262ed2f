// Names that people give to callers: by the address that they come from, or by the stream that they ask for.
import { BlockList, isIP } from 'node:net'

const RANGE = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i

interface RangeLabel {
  readonly range: BlockList
  readonly label: string
}

export class CallerLabels {
  readonly #byStream = new Map<string, string>()
  readonly #ranges: readonly RangeLabel[]

  /** By stream, address, or range such as 10.0.0.0/8. */
  constructor(labels: Readonly<Record<string, string>>) {
    const ranges: RangeLabel[] = []
    for (const [key, label] of Object.entries(labels)) {
      const range = rangeOf(key)
      if (range === undefined) this.#byStream.set(key, label)
      else ranges.push({ range, label })
    }
    this.#ranges = ranges
  }

  /** That of the stream goes first, then that of the first range. */
  of(address: string, stream: string): string | undefined {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    return this.#byStream.get(stream) ?? this.#ranges.find(({ range }) => range.check(address, family))?.label
  }
}

/** Undefined: the text is the name of a stream. */
function rangeOf(text: string): BlockList | undefined {
  const [, address = '', bits] = RANGE.exec(text) ?? []
  const version = isIP(address)
  if (version === 0) return undefined
  const most = version === 4 ? 32 : 128
  const prefix = bits === undefined ? most : Number(bits)
  if (prefix > most) return undefined
  const list = new BlockList()
  list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
  return list
}
