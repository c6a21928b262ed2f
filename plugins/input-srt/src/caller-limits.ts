// How many callers a listener has, in all and of one address: those who are connected, and those who are being decided on.
import { isIPv6 } from 'node:net'

/** 0 for no limit. */
export interface CallerLimitOptions {
  readonly connections: number
  readonly perAddress: number
}

export class CallerLimits {
  readonly #byAddress = new Map<string, number>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Returns what gives the place back, safe twice; undefined if there is none. */
  enter(address: string, { connections, perAddress }: CallerLimitOptions): (() => void) | undefined {
    const key = networkOf(address)
    const count = this.#byAddress.get(key) ?? 0
    if ((connections > 0 && this.#size >= connections) || (perAddress > 0 && count >= perAddress)) return undefined
    this.#size++
    this.#byAddress.set(key, count + 1)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#size--
      const left = (this.#byAddress.get(key) ?? 1) - 1
      if (left > 0) this.#byAddress.set(key, left)
      else this.#byAddress.delete(key)
    }
  }
}

/** The IPv4 address, or the /64 of the IPv6 address, within which a client has 2^64 addresses (RFC 4291 section 2.5.1). */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail = ''] = address.split('%', 1)[0]!.toLowerCase().split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`
}
