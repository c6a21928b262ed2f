// A load balancer in front of several origins. Each reader gets every playlist, and the files, from one origin after the
// other. Who is not ready gets no request while another is; where an origin is down or has no such file, the next one is
// asked.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { requestBytes } from './request-bytes.js'
import type { BytesAnswer } from './request-bytes.js'

export interface Origin {
  /** `host:port`. */
  readonly host: string
  /** The health check. */
  isReady(): Promise<boolean>
}

export class AlternatingProxy implements AsyncDisposable {
  /** Good answers, by origin. */
  readonly answers: number[]
  /** Requests that no origin has answered well. */
  readonly failed: string[] = []
  readonly #server: Server
  readonly #origins: readonly Origin[]
  /** By reader and kind of file. */
  readonly #turns = new Map<string, number>()

  private constructor(server: Server, origins: readonly Origin[]) {
    this.#server = server
    this.#origins = origins
    this.answers = origins.map(() => 0)
    server.on('request', (asked: IncomingMessage, response: ServerResponse) => void this.#serve(asked, response))
  }

  static async open(origins: readonly Origin[]): Promise<AlternatingProxy> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new AlternatingProxy(server, origins)
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '', headers } = asked
    let answer: BytesAnswer = { status: 502, headers: {}, body: Buffer.alloc(0) }
    for (const index of await this.#order(asked)) {
      const { host } = this.#origins[index]!
      const options = { method, headers: { ...headers, host, connection: 'close' } }
      answer = await requestBytes(`http://${host}${url}`, options).catch(() => answer)
      if (answer.status >= 400) continue
      this.answers[index] = (this.answers[index] ?? 0) + 1
      break
    }
    if (answer.status >= 400) this.failed.push(`${url}: ${answer.status}`)
    const { connection: _, 'transfer-encoding': __, ...kept } = answer.headers
    response.writeHead(answer.status, kept).end(answer.body)
  }

  /** Indexes of the origins, the best one first. */
  async #order({ headers, url = '' }: IncomingMessage): Promise<readonly number[]> {
    const key = `${headers['user-agent']} ${url.endsWith('.m3u8') ? url : 'files'}`
    const turn = this.#turns.get(key) ?? 0
    this.#turns.set(key, turn + 1)
    const count = this.#origins.length
    const all = this.#origins.map((_, index) => (turn + index) % count)
    const ready = await Promise.all(this.#origins.map((origin) => origin.isReady().catch(() => false)))
    return [...all.filter((index) => ready[index]), ...all.filter((index) => !ready[index])]
  }
}
