// The socket of a listener, as the protocol sees it.
import type { DatagramTransport } from '@millrace/engine/plugin'
import type { PeerAddress } from '@millrace/srt'
import type { DatagramPort } from '@millrace/srt/node'

/** The datagrams of a listener. The engine owns its socket: closing the port only ends its use. */
export class TransportPort implements DatagramPort {
  /** The engine counts what the system refuses. */
  readonly errors = 0
  readonly lastError = undefined
  readonly #transport: DatagramTransport
  #isClosed = false

  constructor(transport: DatagramTransport) {
    this.#transport = transport
  }

  get receiveBufferBytes(): number {
    return this.#transport.receiveBufferBytes
  }

  get address(): PeerAddress {
    const { address } = this.#transport
    const at = address.lastIndexOf(':')
    return { address: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) }
  }

  get queuedBytes(): number {
    return this.#transport.queuedBytes
  }

  onDatagram(handler: (datagram: Uint8Array, from: PeerAddress) => void): void {
    this.#transport.receive((bytes, from) => {
      // Nobody can be answered at port 0.
      if (!this.#isClosed && from.port !== 0) handler(bytes, from)
    })
  }

  send(datagram: Uint8Array, peer: PeerAddress): void {
    if (!this.#isClosed) this.#transport.send(datagram, peer)
  }

  close(): Promise<void> {
    this.#isClosed = true
    return Promise.resolve()
  }
}
