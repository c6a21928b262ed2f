// The transports of listeners in tests: clients and datagrams that the test makes, without sockets.
import { type Duplex, duplexPair } from 'node:stream'
import type { Who } from '../plugin/audience.js'
import type { DatagramPeer, DatagramTransport, StreamConnection, StreamTransport } from '../plugin/listener.js'

/** One connection, seen from both ends. */
export class TestConnection implements StreamConnection {
  readonly socket: Duplex
  /** The end of the client. */
  readonly client: Duplex
  readonly who: Who
  isIdentified = false
  /** The reason with which the node has refused it. */
  refusedAs: string | undefined
  /** The last bytes that the node has sent. */
  answer: string | undefined

  constructor(who: Who) {
    const [socket, client] = duplexPair({ allowHalfOpen: false })
    this.socket = socket
    this.client = client
    this.who = who
    // As with a socket, either end closes the other.
    socket.once('close', () => client.destroy())
    client.once('close', () => socket.destroy())
    for (const end of [socket, client]) end.on('error', () => undefined)
    // The end of a stream is seen by whoever reads.
    client.resume()
  }

  identified(): void {
    this.isIdentified = true
  }

  refuse(reason: string, answer?: string): void {
    this.refusedAs ??= reason
    if (answer === undefined) this.socket.destroy()
    else this.end(answer)
  }

  end(answer: string): void {
    this.answer ??= answer
    // As the engine does: what was written before still reaches the client.
    this.socket.end(answer, () => this.socket.destroy())
  }
}

export class TestStreamTransport implements StreamTransport {
  readonly transport = 'tcp'
  readonly name = 'test'
  readonly address = '127.0.0.1:7000'
  readonly #enter: (run: () => void) => void
  readonly #silent = new Set<TestConnection>()
  #handle: ((connection: StreamConnection) => void) | undefined

  /** `enter` runs code of the node. */
  constructor(enter: (run: () => void) => void = (run) => run()) {
    this.#enter = enter
  }

  accept(handle: (connection: StreamConnection) => void): void {
    this.#handle = handle
  }

  /** A client connects; the node is given the connection at once. */
  connect(address = '192.0.2.1', port = 4000): TestConnection {
    const client = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
    const who = { protocol: 'test', listener: this.name, client, address, user: undefined, agent: '', place: '' }
    const connection = new TestConnection(who)
    this.#silent.add(connection)
    connection.socket.once('close', () => this.#silent.delete(connection))
    this.#enter(() => this.#handle?.(connection))
    return connection
  }

  /** As the engine does when the node has ended: closes connections that it has not identified. */
  close(): void {
    for (const { socket, isIdentified } of this.#silent) if (!isIdentified) socket.destroy()
  }
}

export class TestDatagramTransport implements DatagramTransport {
  readonly transport = 'udp'
  readonly name = 'test'
  readonly address = '127.0.0.1:7000'
  readonly receiveBufferBytes = 0
  readonly sent: { readonly bytes: Uint8Array; readonly to: DatagramPeer }[] = []
  readonly queuedBytes = 0
  readonly refused: string[] = []
  readonly #enter: (run: () => void) => void
  #handle: ((bytes: Uint8Array, from: DatagramPeer) => void) | undefined

  /** `enter` runs code of the node. */
  constructor(enter: (run: () => void) => void = (run) => run()) {
    this.#enter = enter
  }

  receive(handle: (bytes: Uint8Array, from: DatagramPeer) => void): void {
    this.#handle = handle
  }

  send(bytes: Uint8Array, to: DatagramPeer): void {
    this.sent.push({ bytes: bytes.slice(), to })
  }

  refuse(reason: string): void {
    this.refused.push(reason)
  }

  /** A datagram arrives; as with a socket, the node gets bytes of its own. */
  deliver(bytes: Uint8Array, from: DatagramPeer): void {
    const own = bytes.slice()
    this.#enter(() => this.#handle?.(own, from))
  }
}
