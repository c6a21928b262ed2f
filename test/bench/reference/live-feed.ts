// A live upstream for the latency bench: a stream over HTTP at its rate; every 10 ms it sends what is due, preceded by
// a packet with the monotonic time.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { STAMP_PID } from '../load/packet-checker.js'

const PACKET_SIZE = 188
const TICK_MS = 10

export class LiveFeed implements AsyncDisposable {
  readonly #stream: Uint8Array
  readonly #bytesPerMs: number
  readonly #server = createServer((_request, response) => this.#play(response))
  readonly #timers = new Set<NodeJS.Timeout>()
  #stamps = 0

  constructor(stream: Uint8Array, bitsPerSecond: number) {
    this.#stream = stream
    this.#bytesPerMs = bitsPerSecond / 8000
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/feed.ts`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Sends the stream once, then nothing. */
  #play(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'video/mp2t' })
    const startMs = performance.now()
    let sent = 0
    const timer = setInterval(() => {
      const due = Math.floor(((performance.now() - startMs) * this.#bytesPerMs) / PACKET_SIZE) * PACKET_SIZE
      if (due <= sent || sent >= this.#stream.length) return
      response.write(Buffer.concat([this.#stamp(), this.#stream.subarray(sent, due)]))
      sent = Math.min(due, this.#stream.length)
    }, TICK_MS)
    this.#timers.add(timer)
    response.on('close', () => clearInterval(timer))
  }

  #stamp(): Buffer {
    const packet = Buffer.alloc(PACKET_SIZE, 0xff)
    packet.writeUInt8(0x47, 0)
    packet.writeUInt16BE(STAMP_PID, 1)
    packet.writeUInt8(0x10 | (this.#stamps++ & 15), 3)
    packet.writeBigUInt64BE(process.hrtime.bigint(), 4)
    return packet
  }
}
