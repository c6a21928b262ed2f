// A UDP socket of a node. Datagrams are handed over once per turn of the event loop, and sends are reported once per
// turn: the scope of the node is entered for a batch, not for each datagram.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import process from 'node:process'
import { type EngineError, isEngineError } from '../errors.js'
import type {
  DatagramBatch,
  Membership,
  MulticastSending,
  SocketAddress,
  UdpOptions,
  UdpSocket,
} from '../plugin/sockets.js'
import { zoneOf } from '../plugin/socket-address.js'
import { renderAddress } from './bind-address.js'
import { KERNEL_DROPS } from './kernel-drops.js'
import { lookupAtOnce } from './lookup-at-once.js'
import { familyOf, multicastInterface, withZone } from './network-interface.js'
import { explainSocketError, socketError } from './socket-errors.js'
import { acquireDescriptor, type Closable, type SocketOwner } from './socket-owner.js'

/** Linux reports twice the size that it grants, for its own bookkeeping (socket(7), SO_RCVBUF). */
const BUFFER_FACTOR = process.platform === 'linux' ? 2 : 1

/** Opens and binds. Rejects with an error of the table SOCKET_.... */
export async function openUdpSocket(options: UdpOptions, owner: SocketOwner): Promise<NodeUdpSocket> {
  let subject = `UDP ${renderAddress(options.bind)}`
  acquireDescriptor(owner, subject)
  let socket: Socket | undefined
  try {
    const family = familyOf(options.bind.host)
    socket = createSocket({
      type: family === 'IPv6' ? 'udp6' : 'udp4',
      reuseAddr: options.reuseAddress ?? false,
      lookup: lookupAtOnce,
    })
    await bind(socket, { ...options.bind, host: withZone(options.bind.host, options.interface) })
    if (options.connect !== undefined) {
      subject = `UDP ${renderAddress(options.connect)}`
      await connect(socket, options.connect)
    }
    return new NodeUdpSocket(socket, options, owner)
  } catch (cause) {
    owner.release()
    closeQuietly(socket)
    throw isEngineError(cause) ? cause : explainSocketError(subject, cause as NodeJS.ErrnoException)
  }
}

function bind(socket: Socket, { host, port }: SocketAddress): Promise<void> {
  return settle(socket, (done) => socket.bind({ address: host, port, exclusive: true }, done))
}

function connect(socket: Socket, { host, port }: SocketAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.connect(port, host, ((error?: Error) => (error === undefined ? resolve() : reject(error))) as () => void)
  })
}

function withoutZone(host: string): string {
  return host.split('%', 1)[0] ?? ''
}

function settle(socket: Socket, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    start(() => {
      socket.off('error', reject)
      resolve()
    })
  })
}

function closeQuietly(socket: Socket | undefined): void {
  socket?.on('error', () => undefined)
  try {
    socket?.close()
  } catch {
    // It was closed already.
  }
}

/** Of one turn of the event loop: libuv reads at most 32 datagrams. */
class Batch implements DatagramBatch {
  length = 0
  receivedAtMs = 0
  readonly #bytes: Uint8Array[] = []
  readonly #from: RemoteInfo[] = []

  add(bytes: Uint8Array, from: RemoteInfo): void {
    this.#bytes[this.length] = bytes
    this.#from[this.length++] = from
  }

  clear(): void {
    this.length = this.#bytes.length = this.#from.length = 0
  }

  bytes(at: number): Uint8Array {
    return this.#bytes[at] as Uint8Array
  }

  host(at: number): string {
    return (this.#from[at] as RemoteInfo).address
  }

  port(at: number): number {
    return (this.#from[at] as RemoteInfo).port
  }
}

export class NodeUdpSocket implements UdpSocket, Closable {
  readonly kind = 'udp'
  readonly address: SocketAddress
  readonly #socket: Socket
  readonly #options: UdpOptions
  readonly #owner: SocketOwner
  readonly #batch = new Batch()
  #isTurnSet = false
  #sent = 0
  #failed = 0
  #sendError: EngineError | undefined
  #isClosed = false
  readonly #closed: Promise<void>

  constructor(socket: Socket, options: UdpOptions, owner: SocketOwner) {
    this.#socket = socket
    this.#options = options
    this.#owner = owner
    const { address, port } = socket.address()
    this.address = { host: address, port }
    if (options.receiveBufferBytes !== undefined) this.setReceiveBuffer(options.receiveBufferBytes)
    if (options.sendBufferBytes !== undefined) socket.setSendBufferSize(options.sendBufferBytes)
    if (options.onDatagrams !== undefined) socket.on('message', (bytes, from) => this.#take(bytes, from))
    socket.on('error', (cause) => this.#noteError(cause))
    this.#closed = new Promise((resolve) => socket.once('close', resolve))
  }

  get receiveBufferBytes(): number {
    return this.#isClosed ? 0 : this.#socket.getRecvBufferSize() / BUFFER_FACTOR
  }

  get sendBufferBytes(): number {
    return this.#isClosed ? 0 : this.#socket.getSendBufferSize() / BUFFER_FACTOR
  }

  get queuedBytes(): number {
    return this.#isClosed ? 0 : this.#socket.getSendQueueSize()
  }

  setReceiveBuffer(bytes: number): void {
    if (!this.#isClosed) this.#socket.setRecvBufferSize(bytes)
  }

  join(membership: Membership): void {
    if (this.#isClosed) return
    const { source } = membership
    const group = withoutZone(membership.group)
    const from = this.#interfaceOf(membership)
    try {
      if (source === undefined) this.#socket.addMembership(group, from)
      else this.#socket.addSourceSpecificMembership(source, group, from)
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      const what = source === undefined ? group : `${group} from ${source}`
      throw socketError('SOCKET_JOIN', `cannot join ${what}: ${code ?? message}`, { cause })
    }
  }

  leave(membership: Membership): void {
    const { source } = membership
    const group = withoutZone(membership.group)
    try {
      const from = this.#interfaceOf(membership)
      if (source === undefined) this.#socket.dropMembership(group, from)
      else this.#socket.dropSourceSpecificMembership(source, group, from)
    } catch {
      // The socket has closed, the group was not joined, or the interface has gone.
    }
  }

  setMulticast({ interface: wanted, ttl, loopback }: MulticastSending): void {
    if (this.#isClosed) return
    const from = wanted === undefined ? undefined : multicastInterface(wanted, familyOf(this.address.host))
    try {
      if (from !== undefined) this.#socket.setMulticastInterface(from)
      this.#socket.setMulticastTTL(ttl)
      this.#socket.setMulticastLoopback(loopback)
    } catch (cause) {
      throw explainSocketError(`UDP ${renderAddress(this.address)}, multicast`, cause as NodeJS.ErrnoException)
    }
  }

  send(bytes: Uint8Array, to?: SocketAddress): void {
    if (this.#isClosed) return
    if (to === undefined) this.#socket.send(bytes, this.#onSent)
    else this.#socket.send(bytes, to.port, to.host, this.#onSent)
  }

  kernelDrops(): number {
    return this.#isClosed ? 0 : KERNEL_DROPS.of(this.address)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#batch.clear()
    this.#socket.close()
    this.#owner.release()
    this.#owner.forget(this)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return this.#closed
  }

  #interfaceOf({ group, interface: wanted = zoneOf(group) }: Membership): string | undefined {
    return wanted === undefined ? undefined : multicastInterface(wanted, familyOf(group))
  }

  #take(bytes: Uint8Array, from: RemoteInfo): void {
    if (this.#isClosed) return
    if (this.#batch.length === 0) this.#batch.receivedAtMs = this.#owner.nowMs()
    this.#batch.add(bytes, from)
    this.#setTurn()
  }

  readonly #onSent = (cause: Error | null): void => {
    if (cause === null) this.#sent++
    else {
      this.#failed++
      this.#sendError ??= explainSocketError('sending', cause as NodeJS.ErrnoException)
    }
    this.#setTurn()
  }

  #noteError(cause: Error): void {
    if (this.#isClosed) return
    const error = explainSocketError(`UDP ${renderAddress(this.address)}`, cause as NodeJS.ErrnoException)
    this.#owner.enter(() => this.#options.onError(error))
  }

  /** After everything that this turn of the event loop reads. */
  #setTurn(): void {
    if (this.#isTurnSet) return
    this.#isTurnSet = true
    setImmediate(this.#onTurn)
  }

  readonly #onTurn = (): void => {
    this.#isTurnSet = false
    if (this.#isClosed) return
    this.#owner.enter(this.#report)
  }

  readonly #report = (): void => {
    try {
      if (this.#batch.length > 0) this.#options.onDatagrams?.(this.#batch)
    } finally {
      this.#batch.clear()
      this.#reportSent()
    }
  }

  #reportSent(): void {
    const [sent, failed, error] = [this.#sent, this.#failed, this.#sendError]
    this.#sent = this.#failed = 0
    this.#sendError = undefined
    if (sent + failed > 0) this.#options.onSent?.({ sent, failed, error })
  }
}
