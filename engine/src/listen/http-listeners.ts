// All HTTP listeners of the engine by name.
import type { Logger } from '../plugin/contract.js'
import type { Clock } from '../plugin/tokens.js'
import { DescriptorGuard } from './descriptor-guard.js'
import { HttpListener, type ListenerUpdate } from './http-listener.js'
import { listenError } from './listen-errors.js'
import { AddressChange, type ListenerTransaction } from './listener-transaction.js'
import type { ListenerSettings, ListenerTimeouts } from './listener-options.js'
import type { Graph } from '../graph/graph.js'

export interface HttpListenersOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly timeouts?: Partial<ListenerTimeouts>
  /** Of file descriptors, for the whole process. By default no limit. */
  readonly descriptorLimit?: number
}

export interface ListenerSpec extends ListenerSettings {
  readonly name: string
  readonly address: string
}

/** Time for removed listeners to end their connections. */
const REMOVE_GRACE_MS = 10_000

export class HttpListeners {
  readonly #options: HttpListenersOptions
  readonly #byName = new Map<string, HttpListener>()
  /** Removed, but with open connections. */
  readonly #draining = new Set<HttpListener>()
  /** Of viewers' connections, and of the sockets of nodes. */
  readonly descriptors: DescriptorGuard

  constructor(options: HttpListenersOptions) {
    this.#options = options
    const { clock, log, descriptorLimit: limit = Infinity } = options
    this.descriptors = new DescriptorGuard({ clock, log, limit })
  }

  /** Adds a listener that is not bound yet; the graph check has made names unique. Throws LISTEN_BAD_ADDRESS. */
  add(name: string, address: string, settings: ListenerSettings = {}): HttpListener {
    const listener = this.#make({ ...settings, name, address })
    this.#byName.set(name, listener)
    return listener
  }

  /**
   * Prepares a change of all listeners; one change at a time. When it resolves, new listeners and new addresses are
   * bound, and new listeners are found by name. If it rejects, nothing has changed. Throws what `add` and `openAll`
   * throw.
   */
  async prepare(next: readonly ListenerSpec[]): Promise<ListenerTransaction> {
    const specs = new Map(next.map((spec) => [spec.name, spec]))
    const removed = this.all().filter(({ name }) => !specs.has(name))
    const added: HttpListener[] = []
    const updates: { readonly listener: HttpListener; readonly update: ListenerUpdate }[] = []
    const change = new AddressChange({ log: this.#options.log, added, updates, removed })
    try {
      for (const { name, address, ...settings } of next) {
        const listener = this.#byName.get(name)
        if (listener === undefined) added.push(this.#make({ ...settings, name, address }))
        else updates.push({ listener, update: await listener.prepareUpdate(address, settings) })
      }
      await Promise.all(added.map((listener) => listener.readCertificate()))
    } catch (error) {
      await change.undo()
      throw error
    }
    await change.bind()
    for (const listener of added) this.#byName.set(listener.name, listener)
    let isOver = false
    return {
      commit: (graceMs = REMOVE_GRACE_MS) => {
        if (isOver) return
        isOver = true
        for (const { update } of updates) update.commit()
        for (const listener of removed) this.#remove(listener, graceMs)
      },
      revert: async () => {
        if (isOver) return
        isOver = true
        for (const { name } of added) this.#byName.delete(name)
        await change.undo()
      },
    }
  }

  http(name: string): HttpListener {
    const listener = this.#byName.get(name)
    if (listener !== undefined) return listener
    const names = [...this.#byName.keys()].join(', ')
    throw listenError('LISTEN_UNKNOWN', `there is no listener "${name}"; the listeners are: ${names}`)
  }

  /** Of viewers; 0 for no limit, and for a listener that is gone. */
  maxClientsOf(name: string): number {
    return this.#byName.get(name)?.maxClients ?? 0
  }

  all(): readonly HttpListener[] {
    return [...this.#byName.values()]
  }

  /** Binds all of them or none: bound listeners are closed again before the first failure is thrown. */
  async openAll(): Promise<void> {
    const results = await Promise.allSettled(this.all().map((listener) => listener.bind()))
    const failure = results.find((result) => result.status === 'rejected')
    if (failure === undefined) return this.descriptors.open()
    await this.closeAll(0)
    throw failure.reason
  }

  /** On all listeners except those named. */
  stopAccepting(...except: readonly string[]): void {
    for (const listener of this.all()) {
      if (!except.includes(listener.name)) listener.stopAccepting()
    }
  }

  /** Resolves when every socket of every listener has closed, at the latest shortly after `graceMs`. */
  async closeAll(graceMs?: number): Promise<void> {
    await Promise.all([...this.all(), ...this.#draining].map((listener) => listener.close(graceMs)))
    this.descriptors[Symbol.dispose]()
  }

  #make({ name, address, ...settings }: ListenerSpec): HttpListener {
    const { clock, log, timeouts = {} } = this.#options
    return new HttpListener({ ...settings, name, address, clock, log, timeouts, descriptors: this.descriptors })
  }

  #remove(listener: HttpListener, graceMs: number): void {
    this.#byName.delete(listener.name)
    this.#draining.add(listener)
    void listener.close(graceMs).then(() => this.#draining.delete(listener))
  }
}

/** The listeners that a graph declares. */
export function listenerSpecs(graph: Graph): readonly ListenerSpec[] {
  return graph.listeners.map(({ name, address, tls, proxyProtocol, trustedProxies, forwardedHeader, ...limits }) => ({
    name,
    address,
    ...defined({ tls, proxyProtocol, trustedProxies, forwardedHeader, ...limits }),
  }))
}

function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
