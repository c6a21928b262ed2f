// One bound UDP address of a listener.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { DatagramPeer } from '../plugin/listener.js'
import type { BindAddress } from './bind-address.js'
import { lookupAtOnce } from './lookup-at-once.js'
import type { AddressHolder } from './shared-listener.js'

/** Linux doubles what is asked for, and counts its own bookkeeping (socket(7), SO_RCVBUF). */
const BUFFER_FACTOR = process.platform === 'linux' ? 2 : 1

export interface DatagramSocketOptions {
  readonly wanted: BindAddress
  /** Of the kernel, per socket; undefined for the default of the system. */
  readonly receiveBufferBytes: number | undefined
  onDatagram(bytes: Uint8Array, from: RemoteInfo): void
  /** A datagram was not sent. */
  onUnsent(): void
  onBound(): void
  /** Errors of the socket, once bound. */
  onError(error: NodeJS.ErrnoException): void
}

export class DatagramSocket implements AddressHolder {
  readonly transport = 'udp'
  readonly wanted: BindAddress
  readonly #options: DatagramSocketOptions
  #bound: BindAddress
  #socket: Socket | undefined
  /** One function for all datagrams. */
  readonly #onSent = (error: Error | null): void => {
    if (error !== null) this.#options.onUnsent()
  }

  constructor(options: DatagramSocketOptions) {
    this.#options = options
    this.wanted = options.wanted
    this.#bound = options.wanted
  }

  get bound(): BindAddress {
    return this.#bound
  }

  /** What the system has yet to take. */
  get queuedBytes(): number {
    return this.#socket?.getSendQueueSize() ?? 0
  }

  /** What the kernel has granted: Linux counts twice of it. 0 while it is not bound. */
  get receiveBufferBytes(): number {
    try {
      return (this.#socket?.getRecvBufferSize() ?? 0) / BUFFER_FACTOR
    } catch {
      return 0
    }
  }

  /** Of the kernel, which may grant less. */
  setReceiveBuffer(bytes: number): void {
    try {
      this.#socket?.setRecvBufferSize(bytes)
    } catch (error) {
      this.#options.onError(error as NodeJS.ErrnoException)
    }
  }

  listen(): Promise<void> {
    const { host, port } = this.#bound
    const { receiveBufferBytes, onDatagram, onError } = this.#options
    const size = receiveBufferBytes === undefined ? {} : { recvBufferSize: receiveBufferBytes }
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', lookup: lookupAtOnce, ...size })
    this.#socket = socket
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        this.#close(socket)
        reject(error)
      })
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.removeAllListeners('error')
        socket.on('error', onError)
        socket.on('message', onDatagram)
        const { address, port: boundPort } = socket.address()
        this.#bound = { host: address, port: boundPort }
        this.#options.onBound()
        resolve()
      })
    })
  }

  send(bytes: Uint8Array, { address, port }: DatagramPeer): void {
    if (this.#socket === undefined) return this.#options.onUnsent()
    try {
      this.#socket.send(bytes, port, address, this.#onSent)
    } catch {
      // It has no such address family, or the datagram is too long.
      this.#options.onUnsent()
    }
  }

  releaseAddress(): void {
    if (this.#socket !== undefined) this.#close(this.#socket)
  }

  /** Safe twice. */
  close(): void {
    this.releaseAddress()
    this.#bound = this.wanted
  }

  #close(socket: Socket): void {
    if (this.#socket === socket) this.#socket = undefined
    socket.removeAllListeners('message')
    socket.close()
  }
}
