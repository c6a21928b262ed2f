// Raw upstreams: servers that send exactly the bytes that they are told to, whatever HTTP says.
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/** Called for each request, with its head as Latin-1. */
export type Serve = (socket: Socket, head: string) => void

class RawUpstream implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(serve: Serve) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => undefined)
      let head = ''
      socket.on('data', (bytes: Buffer) => {
        head += bytes.toString('latin1')
        if (!head.includes('\r\n\r\n')) return
        const whole = head
        head = ''
        serve(socket, whole)
      })
    })
  }

  static async open(serve: Serve): Promise<RawUpstream> {
    const upstream = new RawUpstream(serve)
    await once(upstream.#server.listen(0, '127.0.0.1'), 'listening')
    return upstream
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

/** Several, closed together. */
export class RawUpstreams implements AsyncDisposable {
  readonly #open: RawUpstream[] = []

  async open(serve: Serve): Promise<RawUpstream> {
    const upstream = await RawUpstream.open(serve)
    this.#open.push(upstream)
    return upstream
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.map((upstream) => upstream[Symbol.asyncDispose]()))
  }
}
