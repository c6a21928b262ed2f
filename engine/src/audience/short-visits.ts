// Visits that last only moments: health checks, monitors that look whether a stream starts, players that are refused by
// their decoder and try again. The first of an address is told like any other; the others are counted, and told together
// once a minute.
import type { SessionEnd } from '../observe/viewer-events.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { countReason } from './count-reason.js'

const SHORT_MS = 5000
const TOLD_EVERY_MS = 60_000
/** Addresses that are remembered in a minute; visits from others are told like longer ones. */
const MOST_ADDRESSES = 1000
/** Addresses with a line of their own, those with the most visits first. */
const MOST_LINES = 10

interface Visits {
  count: number
  readonly nodes: Set<string>
  readonly reasons: Map<string, number>
}

export class ShortVisits {
  readonly #clock: Clock
  readonly #log: Logger
  /** Since the last lines. */
  readonly #byAddress = new Map<string, Visits>()
  #timer: Disposable | undefined
  #isOver = false

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  /** Whether the visit is told later, with others. */
  takes({ client, node, reason, durationMs }: SessionEnd): boolean {
    if (durationMs >= SHORT_MS || this.#isOver) return false
    const address = addressOf(client)
    const known = this.#byAddress.get(address)
    if (known === undefined) {
      if (this.#byAddress.size >= MOST_ADDRESSES) return false
      this.#byAddress.set(address, { count: 0, nodes: new Set(), reasons: new Map() })
      this.#timer ??= this.#clock.after(TOLD_EVERY_MS, () => this.#tell())
      return false
    }
    known.count++
    known.nodes.add(node)
    countReason(known.reasons, reason)
    return true
  }

  /** Tells what has been counted; nothing is counted any more. */
  end(): void {
    this.#isOver = true
    this.#tell()
  }

  #tell(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
    const counted = [...this.#byAddress].filter(([, { count }]) => count > 0).sort(([, a], [, b]) => b.count - a.count)
    this.#byAddress.clear()
    for (const [address, { count: visits, nodes, reasons }] of counted.slice(0, MOST_LINES)) {
      const data = { address, visits, nodes: [...nodes].slice(0, MOST_LINES), reasons: Object.fromEntries(reasons) }
      this.#log.info(data, `${visits} more short ${visits === 1 ? 'visit' : 'visits'} from ${address}`)
    }
    const others = counted.slice(MOST_LINES)
    if (others.length === 0) return
    const visits = others.reduce((sum, [, { count }]) => sum + count, 0)
    this.#log.info({ addresses: others.length, visits }, `${visits} more short visits from ${others.length} addresses`)
  }
}

/** Without the port. */
function addressOf(client: string): string {
  return client.replace(/^\[(.*)\]:\d+$/, '$1').replace(/^([^:]*):\d+$/, '$1')
}
