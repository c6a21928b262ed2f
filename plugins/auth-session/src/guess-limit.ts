// Addresses that present wrong tokens: ten in a minute, then they wait. Of IPv6 a whole /64 counts as one.

const MOST_GUESSES = 10
const WINDOW_MS = 60_000
/** Beyond this the oldest is forgotten. */
const MOST_ADDRESSES = 10_000

export class GuessLimit {
  readonly #guesses = new Map<string, { count: number; untilMs: number }>()

  /** How long the address has to wait; 0 if it may try. */
  waitMs(address: string, nowMs: number): number {
    const known = this.#guesses.get(networkOf(address))
    return known === undefined || known.count < MOST_GUESSES ? 0 : Math.max(0, known.untilMs - nowMs)
  }

  record(address: string, nowMs: number): void {
    const network = networkOf(address)
    const known = this.#guesses.get(network)
    const isRecent = known !== undefined && known.untilMs > nowMs
    // The newest is the last.
    this.#guesses.delete(network)
    // The last guess begins the wait.
    const count = isRecent ? known.count + 1 : 1
    const untilMs = isRecent && count < MOST_GUESSES ? known.untilMs : nowMs + WINDOW_MS
    this.#guesses.set(network, { count, untilMs })
    const [oldest] = this.#guesses.size > MOST_ADDRESSES ? this.#guesses.keys() : []
    if (oldest !== undefined) this.#guesses.delete(oldest)
  }
}

function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail === undefined) return groups.slice(0, 4).join(':')
  const after = tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - after.length) }, () => '0')
  return [...groups, ...zeros, ...after].slice(0, 4).join(':')
}
