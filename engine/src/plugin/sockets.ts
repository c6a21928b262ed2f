// UDP sockets, outgoing TCP and TLS connections and unix sockets of a node. The engine counts them, runs their callbacks in the
// scope of the node, and closes what the node leaves open when it ends.
import type { SecureContext } from 'node:tls'
import type { EngineError } from '../errors.js'

/** What SOCKETS stands for. Callbacks never throw into a socket: what they throw fails the node. */
export interface Sockets {
  /** Resolves when the socket is bound. Rejects with an error of the table SOCKET_..., such as SOCKET_IN_USE. */
  udp(options: UdpOptions): Promise<UdpSocket>
  /** Connects; `onConnect` or `onClose` says how it went. Throws SOCKET_NO_DESCRIPTORS; SOCKET_FAILED if `to` is no target. */
  connect(to: TcpTarget | UnixTarget, callbacks: StreamCallbacks): StreamSocket
  /**
   * Listens on a unix socket. A socket file that no process answers on is replaced. Rejects with SOCKET_IN_USE,
   * SOCKET_NOT_A_SOCKET, SOCKET_DENIED, SOCKET_NO_ADDRESS or SOCKET_FAILED.
   */
  listen(options: UnixListenOptions): Promise<UnixListener>
}

export interface SocketAddress {
  /** An IPv4 or IPv6 address, or a host name where the socket sends. */
  readonly host: string
  readonly port: number
}

export interface UdpOptions {
  /** The address to receive on; port 0 for any free one. A multicast group receives only what is sent to the group. */
  readonly bind: SocketAddress
  /** Name or address of the interface of a link-local IPv6 `bind` address. By default that address names it. */
  readonly interface?: string
  /** Other sockets may bind the same address. By default false. */
  readonly reuseAddress?: boolean
  /** The only address to send to, resolved once. By default `send` names the address. */
  readonly connect?: SocketAddress
  /** Wanted size of the kernel's receive buffer. By default the system's. */
  readonly receiveBufferBytes?: number
  /** Wanted size of the kernel's send buffer. By default the system's. */
  readonly sendBufferBytes?: number
  /**
   * Called with the datagrams that arrived in one turn of the event loop. The batch is valid during the call; the bytes
   * of a datagram belong to the node.
   */
  onDatagrams?(batch: DatagramBatch): void
  /** Called at most once per turn, with the datagrams that were sent or refused by the system since the last call. */
  onSent?(result: SendResult): void
  /** Called when the socket reports an error that belongs to no datagram. It stays open. */
  onError(error: EngineError): void
}

/** Datagrams by number, from 0, in the order of arrival. */
export interface DatagramBatch {
  readonly length: number
  /** Monotonic time at which the first one was read. */
  readonly receivedAtMs: number
  bytes(at: number): Uint8Array
  /** The sender's address. */
  host(at: number): string
  /** The sender's port. */
  port(at: number): number
}

export interface SendResult {
  readonly sent: number
  readonly failed: number
  /** Of the last one that failed. */
  readonly error: EngineError | undefined
}

export interface UdpSocket extends AsyncDisposable {
  readonly address: SocketAddress
  /** What the kernel has granted. */
  readonly receiveBufferBytes: number
  readonly sendBufferBytes: number
  /** Bytes that the system could not take yet. */
  readonly queuedBytes: number
  /** Asks for another size; `receiveBufferBytes` says what was granted. */
  setReceiveBuffer(bytes: number): void
  /** Throws SOCKET_NO_INTERFACE, SOCKET_JOIN. */
  join(membership: Membership): void
  /** Does nothing if the group was not joined, or its interface has gone. */
  leave(membership: Membership): void
  /** For sending to groups. Throws SOCKET_NO_INTERFACE, SOCKET_FAILED. */
  setMulticast(options: MulticastSending): void
  /**
   * Sends one datagram; `onSent` says how it went, in the order of the calls. The bytes must not change until then.
   * `to` is an IP address. After the socket has closed, it does nothing.
   */
  send(bytes: Uint8Array, to?: SocketAddress): void
  /**
   * Datagrams that the kernel dropped because the receive buffer was full, for all sockets bound to this address; 0
   * where the system does not say. Reads a file: for scrapes only.
   */
  kernelDrops(): number
}

export interface Membership {
  readonly group: string
  /** Name or address of the interface. By default the zone of the group, or the one that the system's routes choose. */
  readonly interface?: string
  /** Only datagrams of this sender (source-specific multicast). By default of any. */
  readonly source?: string
}

export interface MulticastSending {
  /** Name or address of the interface to send from. By default the one that the system's routes choose. */
  readonly interface?: string
  /** How many routers may pass a datagram on, plus one. */
  readonly ttl: number
  /** Whether receivers on this machine get the datagrams too. */
  readonly loopback: boolean
}

interface ConnectOptions {
  /** The connection, TLS included, fails with SOCKET_TIMEOUT if it takes longer. By default 5 s. */
  readonly timeoutMs?: number
  /**
   * Without TLS, all reads go into one buffer of 64 KiB: bytes are valid only during `onBytes`. By default each read has
   * memory of its own.
   */
  readonly sharesBuffer?: boolean
}

export interface TcpTarget extends SocketAddress, ConnectOptions {
  /** Time of silence before the system probes whether the other end is still there; 0 for never, the default. */
  readonly keepAliveMs?: number
  /** Small writes are sent at once. By default true. */
  readonly noDelay?: boolean
  /** By default the connection is plain. */
  readonly tls?: TlsTarget
}

/** TLS 1.2 or newer. */
export interface TlsTarget {
  /** Which authorities are trusted, from `trustedAuthorities`. By default the well-known ones. */
  readonly authorities?: SecureContext
  /** Name that the certificate must have, and that is sent (SNI) unless it is an address. By default the host. */
  readonly serverName?: string | undefined
  /** Accepts any certificate: the other end is unknown. By default false. */
  readonly insecure?: boolean
}

export interface UnixTarget extends ConnectOptions {
  readonly path: string
}

/** All are optional but `onClose`. */
export interface StreamCallbacks {
  /** Called once, when the connection stands, TLS included; not for one that a listener has accepted. */
  onConnect?(): void
  /** Called for each read; the bytes belong to the node, unless it shares one buffer. */
  onBytes?(bytes: Uint8Array): void
  /** Called when `write` may be called again after it returned false. */
  onDrain?(): void
  /** Called once, last: undefined if the other end has closed, or the node itself. */
  onClose(error: EngineError | undefined): void
}

export interface StreamSocket extends AsyncDisposable {
  /** `host:port` or a path. */
  readonly peer: string
  /** Written, but not taken by the system yet. */
  readonly queuedBytes: number
  /** False if the bytes wait: write again at `onDrain`. The bytes must not change until the system has taken them. */
  write(bytes: Uint8Array): boolean
  /** Sends what is queued, and no more. */
  end(): void
  /** Reads nothing until the hold is disposed: the other end has to wait. */
  hold(): Disposable
  /** Closes at once; `onClose` is not called any more. */
  destroy(): void
}

export interface UnixListenOptions {
  readonly path: string
  /** Of the socket file, such as 0o660: who may write to it may connect. */
  readonly permissions: number
  /** Called for each connection; returns what it calls, or undefined to refuse it. */
  onConnection(socket: StreamSocket): StreamCallbacks | undefined
  /** Called when accepting fails. The listener stays open. */
  onError(error: EngineError): void
}

/** Disposed: stops listening and removes the socket file. Accepted connections stay open. */
export interface UnixListener extends AsyncDisposable {
  readonly path: string
  /** Throws SOCKET_DENIED. */
  setPermissions(permissions: number): void
}
