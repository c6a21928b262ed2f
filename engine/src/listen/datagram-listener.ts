// A listener over UDP whose protocol a plugin speaks. It has no connections that the engine knows of: datagrams go to the
// node that serves it, and a move to another address closes the old one at once.
import { type BindAddress, parseBindAddress, renderAddress, renderOrigin } from './bind-address.js'
import { DatagramSocket } from './datagram-socket.js'
import { countRefused } from './listener-counters.js'
import type { ListenerSettings } from './listener-options.js'
import type { ListenerProtocol, ListenerServer, PluginListener, PluginListenerOptions } from './plugin-listener.js'
import { refusalLabel } from './plugin-listener.js'
import { ProvidedValue } from './provided-value.js'
import type { ListenerUpdate } from './shared-listener.js'
import type { DatagramPeer } from '../plugin/listener.js'

export interface DatagramCounters {
  readonly connections: 0
  readonly refused: Map<string, number>
  receivedDatagrams: number
  sentDatagrams: number
  unsentDatagrams: number
}

export class DatagramListener implements PluginListener {
  readonly name: string
  readonly transport = 'udp'
  readonly maxClients = 0
  readonly openConnections = 0
  readonly certificate = undefined
  readonly speaks: ListenerProtocol
  readonly provided: ProvidedValue
  readonly counters: DatagramCounters = {
    connections: 0,
    refused: new Map(),
    receivedDatagrams: 0,
    sentDatagrams: 0,
    unsentDatagrams: 0,
  }
  readonly #options: PluginListenerOptions
  #settings: ListenerSettings
  #socket: DatagramSocket
  #server: ListenerServer | undefined

  /** Throws LISTEN_BAD_ADDRESS. */
  constructor(options: PluginListenerOptions) {
    this.name = options.name
    this.#options = options
    this.speaks = options.protocol
    this.provided = new ProvidedValue(options.name)
    this.#settings = options.settings
    this.#socket = this.#makeSocket(parseBindAddress(options.address), options.settings)
  }

  get protocol(): string {
    return this.speaks.protocol
  }

  get address(): string {
    return renderAddress(this.#socket.bound)
  }

  get origins(): readonly string[] {
    return [renderOrigin(this.#socket.bound, this.protocol)]
  }

  get boundSocket(): DatagramSocket {
    return this.#socket
  }

  readCertificate(): Promise<void> {
    return Promise.resolve()
  }

  prepareUpdate(address: string, settings: ListenerSettings): Promise<ListenerUpdate> {
    const wanted = parseBindAddress(address)
    const moves = renderAddress(wanted) !== renderAddress(this.#socket.wanted)
    const boundSocket = moves ? this.#makeSocket(wanted, settings) : undefined
    return Promise.resolve({
      boundSocket,
      commit: () => {
        const { receiveBufferBytes: size } = settings
        const isOther = size !== undefined && size !== this.#settings.receiveBufferBytes
        this.#settings = settings
        if (isOther) this.#socket.setReceiveBuffer(size)
        if (isOther && boundSocket === undefined) this.#checkBuffer(this.#socket, size)
        if (boundSocket === undefined) return
        this.#socket.close()
        this.#socket = boundSocket
      },
      discard: () => boundSocket?.close(),
    })
  }

  /** It serves who it serves until it is closed. */
  stopAccepting(): void {
    // There are no connections to accept.
  }

  get receiveBufferBytes(): number {
    return this.#socket.receiveBufferBytes
  }

  close(): Promise<void> {
    this.#socket.close()
    return Promise.resolve()
  }

  serveBy(server: ListenerServer): void {
    this.#server = server
  }

  leave(server: ListenerServer): void {
    if (this.#server !== server) return
    this.#server = undefined
    this.provided.set(undefined)
  }

  send(bytes: Uint8Array, to: DatagramPeer): void {
    this.counters.sentDatagrams++
    this.#socket.send(bytes, to)
  }

  get queuedBytes(): number {
    return this.#socket.queuedBytes
  }

  refuse(reason: string): void {
    countRefused(this.counters, refusalLabel(this.speaks, reason))
  }

  #makeSocket(wanted: BindAddress, { receiveBufferBytes }: ListenerSettings): DatagramSocket {
    const { counters } = this
    const { name, log, descriptors } = this.#options
    const socket: DatagramSocket = new DatagramSocket({
      wanted,
      receiveBufferBytes,
      onDatagram: (bytes, from) => {
        counters.receivedDatagrams++
        if (this.#server?.onDatagram === undefined) countRefused(counters, 'unserved')
        else this.#server.onDatagram(bytes, from)
      },
      onUnsent: () => {
        counters.unsentDatagrams++
      },
      onBound: () => this.#checkBuffer(socket, receiveBufferBytes),
      onError: (err) => {
        descriptors?.probe()
        log.warn({ err, listener: name }, `listener "${name}" has an error`)
      },
    })
    return socket
  }

  #checkBuffer({ receiveBufferBytes: granted }: DatagramSocket, wanted: number | undefined): void {
    if (wanted === undefined || granted >= wanted) return
    const { name, log } = this.#options
    log.warn(
      { listener: name, wanted, granted },
      `listener "${name}": the system grants a receive buffer of ${granted} bytes instead of ${wanted}; datagrams that do not fit are lost: sysctl -w net.core.rmem_max=${wanted}`,
    )
  }
}
