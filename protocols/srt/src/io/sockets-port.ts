// A UDP socket of a program that counts and closes its sockets itself, for calls.
import type { PeerAddress } from '../handshake/cookie.js'
import type { DatagramPort } from './datagram-port.js'

/** What opens the sockets of the program. */
export interface LentSockets {
  udp(options: LentSocketOptions): Promise<LentSocket>
}

interface LentSocketOptions {
  readonly bind: HostPort
  readonly receiveBufferBytes: number
  readonly sendBufferBytes: number
  onDatagrams(batch: DatagramBatch): void
  onError(error: Error): void
}

interface LentSocket extends AsyncDisposable {
  readonly address: HostPort
  readonly receiveBufferBytes: number
  readonly queuedBytes: number
  send(bytes: Uint8Array, to: HostPort): void
}

interface HostPort {
  readonly host: string
  readonly port: number
}

/** Valid during the call; the bytes belong to the receiver. */
interface DatagramBatch {
  readonly length: number
  bytes(at: number): Uint8Array
  host(at: number): string
  port(at: number): number
}

/** As much as a fast stream brings while the process is busy elsewhere. */
const BUFFER_BYTES = 4 * 1024 * 1024

export class SocketsPort implements DatagramPort {
  errors = 0
  lastError: Error | undefined
  #socket: LentSocket | undefined
  #handler: ((datagram: Uint8Array, from: PeerAddress) => void) | undefined
  /** The sender of the datagram that is handed over, and who the last one went to: one object each, not one per datagram. */
  readonly #from = { address: '', port: 0 }
  #to: HostPort = { host: '', port: 0 }

  /** For calls to this host. Rejects with the error of the program. */
  static async open(sockets: LentSockets, host: string): Promise<SocketsPort> {
    const port = new SocketsPort()
    port.#socket = await sockets.udp({
      bind: { host: host.includes(':') ? '::' : '0.0.0.0', port: 0 },
      receiveBufferBytes: BUFFER_BYTES,
      sendBufferBytes: BUFFER_BYTES,
      onDatagrams: (batch) => port.#take(batch),
      onError: (error) => {
        port.errors++
        port.lastError = error
      },
    })
    return port
  }

  private constructor() {}

  get address(): PeerAddress {
    const { host = '0.0.0.0', port = 0 } = this.#socket?.address ?? {}
    return { address: host, port }
  }

  get receiveBufferBytes(): number {
    return this.#socket?.receiveBufferBytes ?? 0
  }

  get queuedBytes(): number {
    return this.#socket?.queuedBytes ?? 0
  }

  onDatagram(handler: (datagram: Uint8Array, from: PeerAddress) => void): void {
    this.#handler = handler
  }

  send(datagram: Uint8Array, { address, port }: PeerAddress): void {
    if (this.#to.port !== port || this.#to.host !== address) this.#to = { host: address, port }
    this.#socket?.send(datagram, this.#to)
  }

  async close(): Promise<void> {
    this.#handler = undefined
    await this.#socket?.[Symbol.asyncDispose]()
  }

  #take(batch: DatagramBatch): void {
    const from = this.#from
    for (let at = 0; at < batch.length; at++) {
      from.address = batch.host(at)
      from.port = batch.port(at)
      // Nobody can be answered at port 0.
      if (from.port !== 0) this.#handler?.(batch.bytes(at), from)
    }
  }
}
