// Keeps connections from taking the last file descriptors: with none left an input can't reconnect and a file can't be
// opened, and the kernel closes new viewers without a word to us. Connections stop short of the limit; what else takes
// descriptors is seen by a look once a second. Said once when it begins, with what to raise, and once when it is over.
import { closeSync, openSync } from 'node:fs'
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'

export interface DescriptorGuardOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Of the process; Infinity where there is none. */
  readonly limit: number
  /** By default once a second. */
  readonly probeMs?: number
}

/** For listeners, upstreams, files, the log, and what Node itself has open; of a low limit a quarter. */
const MAX_RESERVED = 64
const RAISE = 'raise it (ulimit -n, LimitNOFILE= in systemd, --ulimit nofile= in Docker)'
/** A shortage is over when so much of the room for connections is free again. */
const RECOVERY_RATIO = 0.95

export class DescriptorGuard implements Disposable {
  readonly #options: DescriptorGuardOptions
  /** Most connections at once. */
  readonly #maxConnections: number
  #connections = 0
  #isShort = false
  #timer: Disposable | undefined

  constructor(options: DescriptorGuardOptions) {
    this.#options = options
    this.#maxConnections = options.limit - Math.min(MAX_RESERVED, Math.floor(options.limit / 4))
  }

  /** There are too few descriptors now. */
  get isShort(): boolean {
    return this.#isShort
  }

  /** Begins to look. */
  open(): void {
    if (!Number.isFinite(this.#options.limit)) return
    this.#timer ??= this.#options.clock.every(this.#options.probeMs ?? 1000, () => this.probe())
  }

  /** A connection wants to stay; false if there is no room for it. */
  acquire(): boolean {
    if (this.#connections >= this.#maxConnections) {
      this.#begin()
      return false
    }
    this.#connections++
    return true
  }

  /** A connection that was let in has closed. */
  release(): void {
    this.#connections--
  }

  /** Looks whether a file can still be opened. Also called when the system says that it can't accept. */
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
    const text = `no file descriptors are left for new connections: the limit is ${limit}, ${this.#connections} are connections`
    log.error({ limit, connections: this.#connections }, `${text}; those go on, new ones are refused: ${RAISE}`)
  }

  #end(): void {
    this.#isShort = false
    const { limit, log } = this.#options
    log.info(
      { limit, connections: this.#connections },
      'there are file descriptors again: new connections are accepted',
    )
  }
}
