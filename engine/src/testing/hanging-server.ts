// An upstream that accepts every connection and never answers: what a node must survive, and end from.
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export class HangingServer implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket))
      socket.resume()
    })
  }

  /** On a free port of this machine. It does not keep the process alive. */
  static async open(): Promise<HangingServer> {
    const server = new HangingServer()
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    server.#server.unref()
    return server
  }

  /** `127.0.0.1:port`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
