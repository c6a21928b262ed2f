// Keeps connections from using up the file descriptors: with none left, no input can reconnect, no file can be opened,
// and the kernel closes new viewers without telling us. Connections stop short of the limit, and leave what everything
// else has needed lately: an input that has lost its upstream finds its place free. A probe once a second detects what
// was not foreseen. Logged once when a shortage begins, with the limit to raise, and once at its end.
import { closeSync, openSync } from 'node:fs'
import { countDescriptors } from '../observe/descriptor-limit.js'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'

export interface DescriptorGuardOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Of the process; Infinity for no limit. */
  readonly limit: number
  /** By default once a second. */
  readonly probeMs?: number
  /** How many the process has open. By default the system is asked. */
  countOpen?(): number
}

/** `node`: a socket that a node opens. */
export type DescriptorUse = 'viewer' | 'control' | 'node'

/** For listeners, upstreams, files, the log and Node itself; a quarter of the limit if that is less. */
const MAX_RESERVED = 64
/**
 * For connections to the control API, whatever else is open: operators and health checks get in when viewers do not. An
 * eighth if that is less.
 */
const KEPT_FOR_CONTROL = 16
const RAISE = 'raise it (ulimit -n, LimitNOFILE= in systemd, --ulimit nofile= in Docker)'
/** In probes: the system is asked how many are open. Takes long with many on an old kernel. */
const COUNT_EVERY = 10
/** In counts. What is not needed for one to two such times is not kept free any more; nodes retry more often. */
const KEPT_FOR = 12
/** A shortage is over when connections use at most this part of what viewers may use. */
const RECOVERY_RATIO = 0.95

export class DescriptorGuard implements Disposable {
  readonly #options: DescriptorGuardOptions
  readonly #reserved: number
  readonly #keptForControl: number
  /** Closes a connection that has said nothing yet; of all listeners, oldest first. */
  readonly #silent = new Set<() => void>()
  /** All of them, and those to the control API. */
  #connections = 0
  #controls = 0
  /** Sockets of nodes. */
  #nodes = 0
  /** The most that was open beside the connections: in this time, and in the one before. */
  readonly #others = { now: 0, before: 0 }
  #probes = 0
  #isShort = false
  #timer: Disposable | undefined

  constructor(options: DescriptorGuardOptions) {
    this.#options = options
    this.#reserved = Math.min(MAX_RESERVED, Math.floor(options.limit / 4))
    this.#keptForControl = Math.min(KEPT_FOR_CONTROL, Math.floor(options.limit / 8))
  }

  /** Whether there are too few descriptors now. */
  get isShort(): boolean {
    return this.#isShort
  }

  /** Starts probing. */
  open(): void {
    if (!Number.isFinite(this.#options.limit)) return
    this.#timer ??= this.#options.clock.every(this.#options.probeMs ?? 1000, () => this.probe())
  }

  /**
   * Called for a new connection or socket; false if there is no descriptor for it. The oldest silent connection makes
   * room: a real client sends its request at once.
   */
  acquire(use: DescriptorUse = 'viewer'): boolean {
    if (!this.#hasRoom(use)) {
      const [oldest] = this.#silent
      if (oldest === undefined) {
        this.#begin()
        return false
      }
      this.#silent.delete(oldest)
      // It releases its descriptor when it has closed, within this turn.
      oldest()
    }
    this.#count(use, 1)
    return true
  }

  /** A connection that has sent nothing yet. Dispose: it has, or it has closed. */
  addSilent(close: () => void): Disposable {
    const own = (): void => close()
    this.#silent.add(own)
    return { [Symbol.dispose]: () => void this.#silent.delete(own) }
  }

  /** Called when it has closed. */
  release(use: DescriptorUse = 'viewer'): void {
    this.#count(use, -1)
  }

  /** Checks whether a file can still be opened. Also called when the system can't accept a connection. */
  probe(): void {
    if (this.#probes++ % COUNT_EVERY === 0) this.#countOthers()
    try {
      closeSync(openSync('/dev/null', 'r'))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EMFILE' || code === 'ENFILE') this.#begin()
      return
    }
    if (this.#isShort && this.#connections <= this.#maxViewers * RECOVERY_RATIO) this.#end()
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }

  #count(use: DescriptorUse, change: 1 | -1): void {
    if (use === 'node') this.#nodes += change
    else this.#connections += change
    if (use === 'control') this.#controls += change
  }

  /** Nodes may use half of the reserve, the control API a quarter: the rest is for files, listeners and Node itself. */
  #hasRoom(use: DescriptorUse): boolean {
    const { limit } = this.#options
    const quarter = Math.floor(this.#reserved / 4)
    const more = this.#controls - this.#keptForControl
    if (use === 'viewer') return this.#connections < this.#maxViewers
    if (use === 'node') {
      const ofReserve = Math.min(quarter, Math.max(0, more))
      return this.#connections - ofReserve + this.#nodes < limit - Math.floor(this.#reserved / 2)
    }
    if (more < 0 || this.#connections < this.#maxConnections) return true
    return more < quarter && this.#connections + Math.max(this.#nodes, this.#others.now) < limit - quarter
  }

  get #maxViewers(): number {
    return this.#maxConnections - this.#keptForControl
  }

  /** At the same time, so that everything else has what it has needed lately. */
  get #maxConnections(): number {
    const { now, before } = this.#others
    const others = Math.max(now, before, this.#nodes)
    return Math.max(0, this.#options.limit - Math.max(this.#reserved, others + Math.floor(this.#reserved / 2)))
  }

  #countOthers(): void {
    const others = this.#others
    if (this.#probes % (COUNT_EVERY * KEPT_FOR) === 1) {
      others.before = others.now
      others.now = 0
    }
    const open = (this.#options.countOpen ?? countIfPossible)()
    others.now = Math.max(others.now, this.#nodes, open - this.#connections)
  }

  #begin(): void {
    if (this.#isShort) return
    this.#isShort = true
    const { limit, log } = this.#options
    const text = `no file descriptors are left for new connections: the limit is ${limit}, ${this.#connections} are in use by connections`
    log.error({ limit, connections: this.#connections }, `${text}; they stay, new ones are refused: ${RAISE}`)
  }

  #end(): void {
    this.#isShort = false
    const { limit, log } = this.#options
    log.info(
      { limit, connections: this.#connections },
      'file descriptors are available again: new connections are accepted',
    )
  }
}

/** With none left the folder cannot be read: what was counted before is as good. */
function countIfPossible(): number {
  try {
    return countDescriptors()
  } catch {
    return 0
  }
}
