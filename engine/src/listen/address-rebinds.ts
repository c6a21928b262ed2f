// Addresses that listeners had released for a change that failed, and that could not be bound again: they are tried again,
// ever more rarely, until the listener has its address or another one.
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { listenAt } from './bind-error.js'
import { messageOf } from '../errors.js'
import type { AddressHolder, SharedListener } from './shared-listener.js'

const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000

interface Unbound {
  readonly boundSocket: AddressHolder
  pauseMs: number
  /** Of the last attempt. */
  why: string
}

export class AddressRebinds {
  readonly #clock: Pick<Clock, 'after'>
  readonly #log: Logger
  readonly #unbound = new Map<SharedListener, Unbound>()
  #timers: Disposable[] = []
  #trying: Promise<unknown> = Promise.resolve()
  #isPaused = false

  constructor(clock: Pick<Clock, 'after'>, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  /** Its address could not be bound again. */
  add(listener: SharedListener, error: unknown): void {
    const why = messageOf(error)
    this.#unbound.set(listener, { boundSocket: listener.boundSocket, pauseMs: FIRST_PAUSE_MS, why })
    this.#wait(listener)
  }

  /** By name, of the listeners that accept nothing meanwhile. */
  whys(): ReadonlyMap<string, string> {
    return new Map([...this.#unbound].map(([{ name }, { why }]) => [name, why]))
  }

  /** A change of the listeners begins, or they close: nothing is tried until `resume`. Resolves when nothing is bound. */
  async pause(): Promise<void> {
    this.#isPaused = true
    for (const timer of this.#timers.splice(0)) timer[Symbol.dispose]()
    await this.#trying
  }

  /** `listeners`: those that are still there. */
  resume(listeners: readonly SharedListener[]): void {
    this.#isPaused = false
    for (const [listener, { boundSocket }] of this.#unbound) {
      if (listener.boundSocket !== boundSocket || !listeners.includes(listener)) this.#unbound.delete(listener)
      else this.#wait(listener)
    }
  }

  #wait(listener: SharedListener): void {
    const unbound = this.#unbound.get(listener)
    if (unbound === undefined || this.#isPaused) return
    const timer = this.#clock.after(unbound.pauseMs, () => {
      this.#timers = this.#timers.filter((each) => each !== timer)
      this.#trying = this.#trying.then(() => this.#try(listener, unbound))
    })
    this.#timers.push(timer)
  }

  /** Never rejects. */
  async #try(listener: SharedListener, unbound: Unbound): Promise<void> {
    const { name, address } = listener
    try {
      await listenAt(name, unbound.boundSocket)
      this.#unbound.delete(listener)
      this.#log.info({ listener: name, address }, `listener "${name}" has its address again`)
    } catch (error) {
      unbound.why = messageOf(error)
      unbound.pauseMs = Math.min(2 * unbound.pauseMs, LONGEST_PAUSE_MS)
      this.#wait(listener)
    }
  }
}
