// All HTTP listeners of the engine, by name.
import type { Logger } from '../plugin/contract.js'
import type { Clock, Listeners } from '../plugin/tokens.js'
import { DescriptorGuard } from './descriptor-guard.js'
import { HttpListener, type HttpListenerOptions, type ListenerTimeouts } from './http-listener.js'
import { listenError } from './listen-errors.js'

export interface HttpListenersOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly timeouts?: Partial<ListenerTimeouts>
  /** Of file descriptors, for the whole process. By default none. */
  readonly descriptorLimit?: number
}

/** What the configuration says of one listener, beside its name and address. */
export type ListenerChoices = Omit<
  HttpListenerOptions,
  'name' | 'address' | 'clock' | 'log' | 'timeouts' | 'descriptors'
>

export class HttpListeners implements Listeners {
  readonly #options: HttpListenersOptions
  readonly #byName = new Map<string, HttpListener>()
  readonly #descriptors: DescriptorGuard

  constructor(options: HttpListenersOptions) {
    this.#options = options
    const { clock, log, descriptorLimit: limit = Infinity } = options
    this.#descriptors = new DescriptorGuard({ clock, log, limit })
  }

  /** Adds a listener that is not bound yet; names are unique by the check of the graph. Throws LISTEN_BAD_ADDRESS. */
  add(name: string, address: string, choices: ListenerChoices = {}): HttpListener {
    const { clock, log, timeouts = {} } = this.#options
    const descriptors = this.#descriptors
    const listener = new HttpListener({ ...choices, name, address, clock, log, timeouts, descriptors })
    this.#byName.set(name, listener)
    return listener
  }

  http(name: string): HttpListener {
    const listener = this.#byName.get(name)
    if (listener !== undefined) return listener
    const names = [...this.#byName.keys()].join(', ')
    throw listenError('LISTEN_UNKNOWN', `there is no listener "${name}"; there is: ${names}`)
  }

  all(): readonly HttpListener[] {
    return [...this.#byName.values()]
  }

  /** Binds them all, or none: what is bound is closed again before the first failure is thrown. */
  async openAll(): Promise<void> {
    const results = await Promise.allSettled(this.all().map((listener) => listener.bind()))
    const failure = results.find((result) => result.status === 'rejected')
    if (failure === undefined) return this.#descriptors.open()
    await this.closeAll(0)
    throw failure.reason
  }

  /** On all of them but those named. */
  stopAccepting(...except: readonly string[]): void {
    for (const listener of this.all()) {
      if (!except.includes(listener.name)) listener.stopAccepting()
    }
  }

  /** Resolves when every socket of every listener has gone, at the latest a moment after `graceMs`. */
  async closeAll(graceMs?: number): Promise<void> {
    await Promise.all(this.all().map((listener) => listener.close(graceMs)))
    this.#descriptors[Symbol.dispose]()
  }
}
