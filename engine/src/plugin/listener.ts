// Listeners by plugins: the engine owns the socket, the plugin speaks the protocol on it, and other nodes use what the
// listener provides.
import type { Duplex } from 'node:stream'
import type { Observable } from 'rxjs'
import type { Who } from './audience.js'

export type ListenerTransport = 'tcp' | 'udp'

/** A connection that has passed the limits of the listener, its PROXY header and TLS. */
export interface StreamConnection {
  /**
   * Paused, with everything that the client has sent still to be read; with TLS, what is inside. Errors of it are ignored
   * unless the node listens for them: `close` follows. Data is not read before somebody asks for it.
   */
  readonly socket: Duplex
  /** `user`, `agent` and `place` are empty: the protocol knows them later. */
  readonly who: Who
  /**
   * The client has said who it is. Before this the connection counts as silent: it is closed to make room for others, when
   * the listener is closed, and when the node that has it ends.
   */
  identified(): void
  /**
   * Counts it under that reason and closes it, at once or as `end` does with this answer. A reason that the definition does
   * not declare counts as `other`.
   */
  refuse(reason: string, answer?: string): void
  /**
   * Sends the last bytes, and closes it when the client has closed its side, or after 1 s. What the client sends meanwhile
   * is discarded. The node must have removed its own listeners.
   */
  end(answer: string): void
}

/** What `open` of a listener with `transport: 'tcp'` receives. */
export interface StreamTransport {
  readonly transport: 'tcp'
  /** Name of the listener. */
  readonly name: string
  /** `host:port`, as bound; a reload may change it. */
  readonly address: string
  /**
   * From now on `handle` receives each connection, in the scope of the node: what it throws fails this listener. A later
   * call replaces the function. Connections that come before the first call wait for it, at most 5 s.
   */
  accept(handle: (connection: StreamConnection) => void): void
}

/** Where a datagram comes from or goes to. */
export interface DatagramPeer {
  readonly address: string
  readonly port: number
}

/** What `open` of a listener with `transport: 'udp'` receives. */
export interface DatagramTransport {
  readonly transport: 'udp'
  /** Name of the listener. */
  readonly name: string
  /** `host:port`, as bound; a reload may change it, and the old address is closed at once. */
  readonly address: string
  /** What the system has granted of `receiveBuffer`; 0 if it is not known. */
  readonly receiveBufferBytes: number
  /**
   * From now on `handle` receives each datagram, in the scope of the node: what it throws fails this listener. The bytes
   * belong to the node. A later call replaces the function. Datagrams that come before are dropped.
   */
  receive(handle: (bytes: Uint8Array, from: DatagramPeer) => void): void
  /** Never throws. A datagram that the system does not take is dropped and counted. */
  send(bytes: Uint8Array, to: DatagramPeer): void
  /** Bytes that the system has yet to take. While there are none, the memory of what was sent can be used again. */
  readonly queuedBytes: number
  /** Counts a datagram that the node refuses, under that reason; one that is not declared counts as `other`. */
  refuse(reason: string): void
}

export interface Transports {
  readonly tcp: StreamTransport
  readonly udp: DatagramTransport
}

/** What `open` of a listener returns. */
export interface OpenListener<T> extends AsyncDisposable {
  /** Other nodes get it by the token of the definition, `LISTENERS.of(TOKEN, name)`. */
  readonly provides: T
  /** Rejects when the listener fails; the row of the error decides what the engine does. By default it never fails. */
  readonly done?: Promise<never>
}

/**
 * What a listener provides, as another node holds it. It stays the same object when the listener is reconfigured, moved,
 * retried or replaced: `value$` then emits the new value.
 */
export interface Provided<T> {
  /** Name of the listener. */
  readonly name: string
  /** Undefined while the listener is not open. */
  readonly value: T | undefined
  /**
   * The value now, and each later one; undefined while the listener is not open. Emits in the scope of the node that
   * has asked for it, and ends with that node.
   */
  readonly value$: Observable<T | undefined>
}

/** The keys that the engine reads on a listener; no definition may declare them. */
export const LISTENER_KEYS = [
  'protocol',
  'address',
  'tls',
  'proxyProtocol',
  'trustedProxies',
  'forwardedHeader',
  'maxConnections',
  'maxPerAddress',
  'maxClients',
  'receiveBuffer',
] as const
