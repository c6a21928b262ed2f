// Runs the node of a listener by a plugin: connects it with the socket, and what it provides with the nodes that use it.
import type { ListenerServer, PluginListener } from '../../listen/plugin-listener.js'
import type { DatagramListener } from '../../listen/datagram-listener.js'
import type { StreamListener } from '../../listen/stream-listener.js'
import type { NodeSettings } from '../../graph/graph.js'
import { nodeName } from '../../graph/node-id.js'
import type {
  DatagramPeer,
  DatagramTransport,
  OpenListener,
  StreamConnection,
  StreamTransport,
} from '../../plugin/listener.js'
import type { OpensNode } from './node-opening.js'
import type { NodePlacement } from './node-runner.js'
import type { NodeServices } from './node-services.js'
import { ServiceRunner } from './service-runner.js'

/** The sockets of listeners, by name. */
export interface ListenerSource {
  /** Throws LISTEN_UNKNOWN, LISTEN_OTHER_PROTOCOL. */
  byPlugin(name: string): PluginListener & (StreamListener | DatagramListener)
}

export class ListenerRunner extends ServiceRunner {
  readonly #link: ListenerLink

  constructor(settings: NodeSettings, services: NodeServices, sockets: ListenerSource, placement?: NodePlacement) {
    const link = new ListenerLink(settings, sockets)
    super(settings, services, { ...placement, opens: link.open })
    this.#link = link
    link.enter = (run) => this.calls.enter(run)
    link.onChange = () => this.#serve()
  }

  override activate(): void {
    super.activate()
    this.#serve()
  }

  protected override connectStreams(): void {
    this.#serve()
    super.connectStreams()
  }

  protected override disconnectStreams(): void {
    this.#link.leave()
    super.disconnectStreams()
  }

  /** A standby serves nobody before it is activated, and a node that is opening provides nothing. */
  #serve(): void {
    const { node } = this
    if (this.isStandby || node === undefined || this.isOver) return
    this.calls.leave(() => this.#link.server?.serve((node as Partial<OpenListener<unknown>>).provides))
  }
}

/** Opens the nodes of one runner, each as a server of the socket. */
class ListenerLink {
  readonly #settings: NodeSettings
  readonly #sockets: ListenerSource
  /** Runs code of the node. */
  enter: (run: () => void) => void = (run) => run()
  /** The node has set its function. */
  onChange: () => void = () => undefined
  /** Of the node that was opened last. */
  server: NodeServer | undefined

  constructor(settings: NodeSettings, sockets: ListenerSource) {
    this.#settings = settings
    this.#sockets = sockets
  }

  readonly open: OpensNode = (options$, context, deps, previous) => {
    const { definition, id } = this.#settings
    if (definition.kind !== 'listener') throw new TypeError(`${id} is not a listener`)
    const socket = this.#sockets.byPlugin(nodeName(id))
    const server = new NodeServer(
      socket,
      (run) => this.enter(run),
      () => this.onChange(),
    )
    this.server = server
    return definition.open(options$, context, deps as never, server.transport as never, previous)
  }

  leave(): void {
    const { server } = this
    this.server = undefined
    server?.leave()
  }
}

/** One opened node as the server of its socket. */
class NodeServer implements ListenerServer {
  readonly transport: StreamTransport | DatagramTransport
  readonly #socket: StreamListener | DatagramListener
  readonly #enter: (run: () => void) => void
  onConnection?: (connection: StreamConnection) => void
  onDatagram?: (bytes: Uint8Array, from: DatagramPeer) => void

  /** `onChange`: the node has set its function. */
  constructor(socket: StreamListener | DatagramListener, enter: (run: () => void) => void, onChange: () => void) {
    this.#socket = socket
    this.#enter = enter
    this.transport =
      socket.transport === 'tcp'
        ? this.#streams(socket, onChange)
        : this.#datagrams(socket as DatagramListener, onChange)
  }

  serve(provides: unknown): void {
    this.#socket.serveBy(this)
    this.#socket.provided.set(provides)
  }

  leave(): void {
    this.#socket.leave(this)
  }

  #streams(socket: StreamListener, onChange: () => void): StreamTransport {
    return {
      transport: 'tcp',
      name: socket.name,
      get address() {
        return socket.address
      },
      accept: (handle) => {
        this.onConnection = (connection) => this.#enter(() => handle(connection))
        onChange()
      },
    }
  }

  /** Nothing is allocated per datagram: the arguments of the call pass through these two. */
  #datagrams(socket: DatagramListener, onChange: () => void): DatagramTransport {
    return {
      transport: 'udp',
      name: socket.name,
      get address() {
        return socket.address
      },
      get receiveBufferBytes() {
        return socket.receiveBufferBytes
      },
      receive: (handle) => {
        let bytes: Uint8Array = NOTHING
        let from: DatagramPeer = NOBODY
        const deliver = (): void => handle(bytes, from)
        this.onDatagram = (arrived, peer) => {
          bytes = arrived
          from = peer
          this.#enter(deliver)
        }
        onChange()
      },
      send: (bytes, to) => socket.send(bytes, to),
      get queuedBytes() {
        return socket.queuedBytes
      },
      refuse: (reason) => socket.refuse(reason),
    }
  }
}

const NOTHING = new Uint8Array(0)
const NOBODY: DatagramPeer = { address: '', port: 0 }
