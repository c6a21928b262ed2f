// All listeners of the engine by name.
import type { Logger } from '../plugin/contract.js'
import type { Clock, Token } from '../plugin/tokens.js'
import type { Provided } from '../plugin/listener.js'
import { listenAt } from './bind-error.js'
import { DatagramListener } from './datagram-listener.js'
import { DescriptorGuard } from './descriptor-guard.js'
import { HttpListener } from './http-listener.js'
import { listenError } from './listen-errors.js'
import { AddressRebinds } from './address-rebinds.js'
import { AddressChange, type ListenerTransaction } from './listener-transaction.js'
import type { DescribePipeline, ListenerSettings, ListenerTimeouts } from './listener-options.js'
import type { ListenerProtocol, PluginListener } from './plugin-listener.js'
import type { ListenerUpdate, SharedListener } from './shared-listener.js'
import { StreamListener } from './stream-listener.js'
import { listenerNodeId } from '../graph/node-id.js'
import type { Graph } from '../graph/graph.js'

export interface EngineListenersOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly timeouts?: Partial<ListenerTimeouts>
  readonly describe?: DescribePipeline
  /** Of file descriptors, for the whole process. By default no limit. */
  readonly descriptorLimit?: number
}

export interface ListenerSpec extends ListenerSettings {
  readonly name: string
  readonly address: string
  /** Undefined for `http`, which the engine speaks itself. */
  readonly protocol?: ListenerProtocol | undefined
}

export type EngineListener = HttpListener | StreamListener | DatagramListener

/** Time for removed listeners to end their connections. */
const REMOVE_GRACE_MS = 10_000

export class EngineListeners {
  /** Nodes open for the first time: a path that nobody has may be one of theirs, so it is answered with 503. */
  isStarting = false
  /** A sentence, if a node is to have this path of the listener and is not open; undefined if none is. */
  whyClosed: (listener: string, path: string) => string | undefined = () => undefined
  readonly #options: EngineListenersOptions
  readonly #byName = new Map<string, EngineListener>()
  /** Removed, but with open connections. */
  readonly #draining = new Set<EngineListener>()
  /** Of viewers' connections, and of the sockets of nodes. */
  readonly descriptors: DescriptorGuard
  readonly #rebinds: AddressRebinds

  constructor(options: EngineListenersOptions) {
    this.#options = options
    const { clock, log, descriptorLimit: limit = Infinity } = options
    this.descriptors = new DescriptorGuard({ clock, log, limit })
    this.#rebinds = new AddressRebinds(clock, log)
  }

  /** Adds an HTTP listener that is not bound yet; the graph check has made names unique. Throws LISTEN_BAD_ADDRESS. */
  add(name: string, address: string, settings: ListenerSettings = {}): HttpListener {
    const listener = this.#makeHttp({ ...settings, name, address })
    this.#byName.set(name, listener)
    return listener
  }

  /** As `add`, for listeners of any protocol. */
  addAll(specs: readonly ListenerSpec[]): void {
    for (const spec of specs) this.#byName.set(spec.name, this.#make(spec))
  }

  /**
   * Prepares a change of all listeners; one change at a time. When it resolves, new listeners and new addresses are
   * bound, and new listeners are found by name. If it rejects, nothing has changed. Throws what `add` and `openAll`
   * throw.
   */
  async prepare(next: readonly ListenerSpec[]): Promise<ListenerTransaction> {
    await this.#rebinds.pause()
    try {
      return await this.#prepare(next)
    } catch (error) {
      this.#rebinds.resume(this.all())
      throw error
    }
  }

  async #prepare(next: readonly ListenerSpec[]): Promise<ListenerTransaction> {
    const specs = new Map(next.map((spec) => [spec.name, spec]))
    const removed = this.all().filter(({ name }) => !specs.has(name))
    const added: EngineListener[] = []
    const updates: { readonly listener: EngineListener; readonly update: ListenerUpdate }[] = []
    const onUnbound = (listener: SharedListener, error: unknown): void => this.#rebinds.add(listener, error)
    const change = new AddressChange({ log: this.#options.log, onUnbound, added, updates, removed })
    try {
      for (const { name, address, protocol, ...settings } of next) {
        const listener = this.#byName.get(name)
        if (listener === undefined) added.push(this.#make({ ...settings, name, address, protocol }))
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
        this.#rebinds.resume(this.all())
      },
      revert: async () => {
        if (isOver) return
        isOver = true
        for (const { name } of added) this.#byName.delete(name)
        await change.undo()
        this.#rebinds.resume(this.all())
      },
    }
  }

  /** Throws LISTEN_UNKNOWN, LISTEN_OTHER_PROTOCOL. */
  http(name: string): HttpListener {
    const listener = this.#find(name)
    if (listener instanceof HttpListener) return listener
    throw listenError('LISTEN_OTHER_PROTOCOL', `listener "${name}" speaks ${listener.protocol}, not http`)
  }

  /** A listener whose protocol a plugin speaks. Throws LISTEN_UNKNOWN, LISTEN_OTHER_PROTOCOL. */
  byPlugin(name: string): PluginListener & (StreamListener | DatagramListener) {
    const listener = this.#find(name)
    if (!(listener instanceof HttpListener)) return listener
    throw listenError('LISTEN_OTHER_PROTOCOL', `listener "${name}" speaks http, which the engine speaks itself`)
  }

  /** What the listener of that name provides. Throws LISTEN_UNKNOWN, LISTEN_OTHER_PROTOCOL. */
  of<T>(token: Token<T>, name: string): Provided<T> {
    const listener = this.#find(name)
    if (!(listener instanceof HttpListener) && listener.speaks.provides === token)
      return listener.provided as Provided<T>
    throw listenError(
      'LISTEN_OTHER_PROTOCOL',
      `listener "${name}" speaks ${listener.protocol}, which provides no ${String(token)}`,
    )
  }

  /** Of viewers; 0 for no limit, and for a listener that is gone. */
  maxClientsOf(name: string): number {
    return this.#byName.get(name)?.maxClients ?? 0
  }

  /** Sentences, by name, of listeners that accept nothing since a change failed: their addresses are tried again. */
  unbound(): ReadonlyMap<string, string> {
    return this.#rebinds.whys()
  }

  all(): readonly EngineListener[] {
    return [...this.#byName.values()]
  }

  /** Binds all of them or none: bound listeners are closed again before the first failure is thrown. */
  async openAll(): Promise<void> {
    const results = await Promise.allSettled(this.all().map((listener) => bind(listener)))
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
    await this.#rebinds.pause()
    await Promise.all([...this.all(), ...this.#draining].map((listener) => listener.close(graceMs)))
    this.descriptors[Symbol.dispose]()
  }

  #find(name: string): EngineListener {
    const listener = this.#byName.get(name)
    if (listener !== undefined) return listener
    const names = [...this.#byName.keys()].join(', ')
    throw listenError('LISTEN_UNKNOWN', `there is no listener "${name}"; the listeners are: ${names}`)
  }

  #make({ protocol, ...spec }: ListenerSpec): EngineListener {
    if (protocol === undefined) return this.#makeHttp(spec)
    const { name, address, ...settings } = spec
    const { clock, log } = this.#options
    const options = { name, address, protocol, settings, clock, log, descriptors: this.descriptors }
    return protocol.transport === 'tcp' ? new StreamListener(options) : new DatagramListener(options)
  }

  #makeHttp(spec: Omit<ListenerSpec, 'protocol'>): HttpListener {
    const { clock, log, timeouts = {}, describe } = this.#options
    const isStarting = (): boolean => this.isStarting
    const starting = {
      get isStarting() {
        return isStarting()
      },
      whyClosed: (path: string) => this.whyClosed(spec.name, path),
    }
    return new HttpListener({ ...spec, clock, log, timeouts, describe, starting, descriptors: this.descriptors })
  }

  #remove(listener: EngineListener, graceMs: number): void {
    this.#byName.delete(listener.name)
    this.#draining.add(listener)
    void listener.close(graceMs).then(() => this.#draining.delete(listener))
  }
}

async function bind(listener: EngineListener): Promise<void> {
  await listener.readCertificate()
  await listenAt(listener.name, listener.boundSocket)
}

/** The listeners that a graph declares. */
export function listenerSpecs({ listeners, services }: Graph): readonly ListenerSpec[] {
  const nodes = new Map(services.map(({ id, definition }) => [id, definition]))
  return listeners.map(({ at: _, protocol: __, receiveBuffer: receiveBufferBytes, ...settings }) => {
    const definition = nodes.get(listenerNodeId(settings.name))
    const protocol =
      definition?.kind === 'listener' ? { ...definition, refusals: definition.refusals ?? [] } : undefined
    return { ...defined({ ...settings, receiveBufferBytes }), protocol }
  })
}

function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
