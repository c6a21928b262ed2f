// A UDP socket as SRT needs it: large buffers, addresses in one form, no look-up of names per datagram.
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { PeerAddress } from '../handshake/cookie.js'
import type { DatagramPort } from './datagram-port.js'

const MAPPED = '::ffff:'

export interface UdpOptions {
  /** IPv4 or IPv6; `::` takes both unless `ipv6Only`. */
  readonly address: string
  readonly port: number
  readonly ipv6Only?: boolean
  /** What the socket asks for; the system grants what its limits allow (`net.core.rmem_max`). */
  readonly bufferBytes: number
}

export class UdpSocket implements DatagramPort {
  /** Granted by the system, by its own count: Linux counts about twice the payload. */
  readonly receiveBufferBytes: number
  readonly sendBufferBytes: number
  /** Errors of the socket since it was bound, and the latest of them. */
  errors = 0
  lastError: Error | undefined
  readonly address: PeerAddress
  readonly #socket: Socket
  readonly #isIpv6: boolean
  /** The last IPv4 address that an IPv6 socket has sent to, and the form in which it takes it. */
  #lastIpv4 = ''
  #lastMapped = ''

  private constructor(socket: Socket, isIpv6: boolean, bufferBytes: number) {
    this.#socket = socket
    this.#isIpv6 = isIpv6
    this.address = socket.address()
    setBuffers(socket, bufferBytes)
    this.receiveBufferBytes = socket.getRecvBufferSize()
    this.sendBufferBytes = socket.getSendBufferSize()
    socket.on('error', (error) => this.#noteError(error))
  }

  /** Rejects with the error of the system if it can't be bound. */
  static async bind(options: UdpOptions): Promise<UdpSocket> {
    const isIpv6 = isIPv6(options.address)
    const socket = createSocket({
      type: isIpv6 ? 'udp6' : 'udp4',
      ...(options.ipv6Only === undefined ? {} : { ipv6Only: options.ipv6Only }),
      // Only addresses are sent to. The default look-up would cost a turn of the event loop for each datagram.
      lookup: (address, _family, done) => done(null, address, isIpv6 ? 6 : 4),
    })
    try {
      // With this look-up, the event comes from within `bind`.
      const listening = once(socket, 'listening')
      socket.bind({ address: options.address, port: options.port })
      await listening
      return new UdpSocket(socket, isIpv6, options.bufferBytes)
    } catch (error) {
      socket.close()
      throw error
    }
  }

  get queuedBytes(): number {
    return this.#socket.getSendQueueSize()
  }

  onDatagram(handler: (datagram: Uint8Array, from: PeerAddress) => void): void {
    const isMapped = this.#isIpv6
    this.#socket.on('message', (datagram, from) => {
      // Nobody can be answered there: `send` would throw.
      if (from.port === 0) return
      if (isMapped && from.address.startsWith(MAPPED)) from.address = from.address.slice(MAPPED.length)
      handler(datagram, from)
    })
  }

  /** Datagrams that the system refuses are lost, as others are. */
  send(datagram: Uint8Array, { address, port }: PeerAddress): void {
    try {
      this.#socket.send(datagram, port, this.#isIpv6 ? this.#ipv6Of(address) : address)
    } catch (error) {
      this.#noteError(error)
    }
  }

  #noteError(error: unknown): void {
    this.errors++
    this.lastError = error instanceof Error ? error : new Error(String(error))
  }

  #ipv6Of(address: string): string {
    if (address === this.#lastIpv4) return this.#lastMapped
    if (address.includes(':')) return address
    this.#lastIpv4 = address
    return (this.#lastMapped = MAPPED + address)
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }
}

/** Some systems refuse sizes above their limit instead of granting less. */
function setBuffers(socket: Socket, bytes: number): void {
  for (const set of [socket.setRecvBufferSize, socket.setSendBufferSize]) {
    try {
      set.call(socket, bytes)
    } catch {
      // The granted size is read back.
    }
  }
}
