// A server of RTMP or RTMPS over sockets of Node.js.
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { TlsOptions } from 'node:tls'
import type { ServerOptions } from '../session/server-session.js'
import { duplexPort } from './duplex-port.js'
import { RtmpServerConnection } from './server-connection.js'
import type { ServerHandlers } from './server-connection.js'

export interface RtmpServerOptions extends Partial<ServerOptions>, ServerHandlers {
  readonly address?: string
  /** By default 1935; 0 for any free one. */
  readonly port?: number
  /** For RTMPS: certificate and key. */
  readonly tls?: TlsOptions
  /** Further connections are closed at once. By default 1000. */
  readonly maxConnections?: number
}

const DEFAULT_PORT = 1935
const MAX_CONNECTIONS = 1000

export class RtmpServer implements AsyncDisposable {
  readonly #server: Server
  readonly #connections = new Set<RtmpServerConnection>()

  /** Rejects with the error of the system if the address can not be had. */
  static async open(options: RtmpServerOptions = {}): Promise<RtmpServer> {
    const server = new RtmpServer(options)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject)
      server.#server.listen(options.port ?? DEFAULT_PORT, options.address, () => {
        server.#server.off('error', reject)
        server.#server.on('error', () => {})
        resolve()
      })
    })
    return server
  }

  private constructor(options: RtmpServerOptions) {
    const take = (socket: Socket): void => this.#take(socket, options)
    this.#server = options.tls === undefined ? createServer(take) : createTlsServer(options.tls, take)
    this.#server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get connections(): ReadonlySet<RtmpServerConnection> {
    return this.#connections
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const connection of [...this.#connections]) connection.close()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #take(socket: Socket, options: RtmpServerOptions): void {
    socket.setNoDelay(true)
    const connection = new RtmpServerConnection(
      duplexPort(socket),
      {
        ...options,
        onEnd: (end) => {
          this.#connections.delete(connection)
          options.onEnd?.(end)
        },
      },
      options,
    )
    this.#connections.add(connection)
  }
}
