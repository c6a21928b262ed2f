// Keeps connections from using up the file descriptors: with none left, no input can reconnect, no file can be opened,
// and the kernel closes new viewers without telling us. Connections stop short of the limit; other uses of descriptors
// are detected by a probe once a second. Logged once when a shortage begins, with the limit to raise, and once at its
// end.
import { closeSync, openSync } from 'node:fs'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'

export interface DescriptorGuardOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Of the process; Infinity for no limit. */
  readonly limit: number
  /** By default once a second. */
  readonly probeMs?: number
}

/** For listeners, upstreams, files, the log and Node itself; a quarter of the limit if that is less. */
const MAX_RESERVED = 64
const RAISE = 'raise it (ulimit -n, LimitNOFILE= in systemd, --ulimit nofile= in Docker)'
/** A shortage is over when connections use at most this part of their maximum. */
const RECOVERY_RATIO = 0.95

export class DescriptorGuard implements Disposable {
  readonly #options: DescriptorGuardOptions
  /** At the same time. */
  readonly #maxConnections: number
  #connections = 0
  #isShort = false
  #timer: Disposable | undefined

  constructor(options: DescriptorGuardOptions) {
    this.#options = options
    this.#maxConnections = options.limit - Math.min(MAX_RESERVED, Math.floor(options.limit / 4))
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

  /** Called for a new connection; false if there is no descriptor for it. */
  acquire(): boolean {
    if (this.#connections >= this.#maxConnections) {
      this.#begin()
      return false
    }
    this.#connections++
    return true
  }

  /** Called when an accepted connection has closed. */
  release(): void {
    this.#connections--
  }

  /** Checks whether a file can still be opened. Also called when the system can't accept a connection. */
  probe(): void {
    try {
      closeSync(openSync('/dev/null', 'r'))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EMFILE' || code === 'ENFILE') this.#begin()
      return
    }
    if (this.#isShort && this.#connections <= this.#maxConnections * RECOVERY_RATIO) this.#end()
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
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
