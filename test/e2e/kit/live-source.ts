// A source over HTTP that plays a stream at its own pace to everybody who asks: whoever comes later, or again, gets it
// from where it is.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const PACKET_SIZE = 188
const EVERY_MS = 20

export class LiveSource implements AsyncDisposable {
  readonly #server: Server
  readonly #readers = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (_, response: ServerResponse) => {
      this.#readers.add(response.on('close', () => this.#readers.delete(response)))
      response.writeHead(200, { 'content-type': 'video/mp2t' }).flushHeaders()
    })
  }

  static async open(): Promise<LiveSource> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new LiveSource(server)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/live.ts`
  }

  get readers(): number {
    return this.#readers.size
  }

  /** Plays whole packets from the beginning, at this many bits per second; `aheadMs` of it at once. */
  play(stream: Uint8Array, bitrate: number, aheadMs: number): void {
    const startMs = performance.now() - aheadMs
    let at = 0
    this.#timer = setInterval(() => {
      const bytes = ((performance.now() - startMs) * bitrate) / 8000
      const part = stream.subarray(at, (at = bytes - (bytes % PACKET_SIZE)))
      for (const reader of this.#readers) reader.write(part)
    }, EVERY_MS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}
