// One bound TCP address of a listener: the listening handle. A listener that moves gets a new bound socket; the old one
// releases its address at once and keeps serving the connections that it accepted.
import { type AddressInfo, Server } from 'node:net'
import type { BindAddress } from './bind-address.js'
import type { ConnectionAcceptor } from './connection-acceptor.js'
import type { AddressHolder } from './shared-listener.js'

/** Connections that the kernel can queue for accept; net.core.somaxconn may lower it. */
const BACKLOG = 4096
/** Large enough that a batch of an ordinary stream does not make its viewer busy although the kernel took all of it. */
export const SOCKET_BUFFER_BYTES = 64 * 1024

export interface BoundSocketOptions {
  /** As configured. */
  readonly wanted: BindAddress
  makeAcceptor(): ConnectionAcceptor
  /** Errors of accepting, once bound. */
  onError(error: NodeJS.ErrnoException): void
}

export class BoundSocket implements AddressHolder {
  readonly transport = 'tcp'
  readonly wanted: BindAddress
  /** Accepts the connections; replaced when the way of accepting them is reconfigured. */
  acceptor: ConnectionAcceptor
  readonly #server: Server
  readonly #onError: (error: NodeJS.ErrnoException) => void
  #bound: BindAddress
  #closed: Promise<void> | undefined

  /** `server`: takes the connections that the acceptor passes to it, if any. */
  constructor(server: Server, options: BoundSocketOptions) {
    this.wanted = options.wanted
    this.#bound = options.wanted
    this.#onError = options.onError
    this.#server = server
    this.#server.removeAllListeners('connection')
    this.#server.on('connection', (socket) => this.acceptor.accept(socket))
    this.acceptor = options.makeAcceptor()
  }

  get bound(): BindAddress {
    return this.#bound
  }

  listen(): Promise<void> {
    const server = this.#server
    return new Promise((resolve, reject) => {
      const onListening = (): void => {
        server.off('error', onError)
        server.on('error', this.#onError)
        const address: AddressInfo | string | null = server.address()
        if (address !== null && typeof address !== 'string') this.#bound = { host: address.address, port: address.port }
        resolve()
      }
      const onError = (error: Error): void => {
        server.off('listening', onListening)
        reject(error)
      }
      server.off('error', this.#onError)
      server.once('error', onError)
      server.once('listening', onListening)
      server.listen({ ...this.#bound, backlog: BACKLOG })
    })
  }

  /** Connections stay, with all their deadlines. */
  releaseAddress(): void {
    // http.Server's own close would also close idle connections and stop checking deadlines.
    Server.prototype.close.call(this.#server)
  }

  /** Releases the address for good. `onGone` is called when the last connection has ended. */
  retire(onGone: () => void): void {
    this.acceptor[Symbol.dispose]()
    this.#server.once('close', () => {
      this.#server.close()
      onGone()
    })
    this.releaseAddress()
  }

  /** Releases the address. Resolves when all connections have closed. Safe twice. */
  close(): Promise<void> {
    this.#bound = this.wanted
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()))
    return this.#closed
  }
}
