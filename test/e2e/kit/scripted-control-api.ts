// A control API that answers what a test wants a dashboard to see, and counts what it is asked.
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const SAMPLE_MS = 250

export interface ScriptedNode {
  readonly id: string
  readonly why?: string
}

export class ScriptedControlApi implements AsyncDisposable {
  nodes: readonly ScriptedNode[]
  /** `METHOD path` of each request that would change something. */
  readonly writes: string[] = []
  readonly #readers = new Set<ServerResponse>()
  #server: Server | undefined
  #port = 0
  #timer: NodeJS.Timeout | undefined
  #seconds = 0

  constructor(nodes: readonly ScriptedNode[]) {
    this.nodes = nodes
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Open event streams. */
  get readers(): number {
    return this.#readers.size
  }

  /** Bytes of events that no reader has taken. */
  get unread(): number {
    return [...this.#readers].reduce((sum, { writableLength }) => sum + writableLength, 0)
  }

  /** At the same port after a `close`. */
  async listen(): Promise<void> {
    const server = createServer(({ method = '', url = '' }, response) => {
      if (method !== 'GET') this.writes.push(`${method} ${url}`)
      if (url.startsWith('/api/v1/events')) this.#follow(response)
      else response.end(JSON.stringify(url.startsWith('/api/v1/clients') ? this.#clients() : this.#status()))
    })
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (server.address() as AddressInfo).port
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #follow(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    this.#readers.add(response)
    response.once('close', () => this.#readers.delete(response))
    const at = new Date().toISOString()
    for (const { id, why = '' } of this.nodes.slice(0, 20)) {
      const data = JSON.stringify({ at, kind: 'node.waiting', node: id, data: { why } })
      response.write(`event: state\ndata: ${data}\n\n`)
    }
    this.#sample()
  }

  #sample(): void {
    this.#seconds += SAMPLE_MS / 1000
    const bytes = this.#seconds * 780_000
    const nodes = this.nodes.map(({ id }) => ({
      id,
      state: 'ready',
      receivedBytes: bytes,
      sentBytes: bytes,
      clients: 1,
    }))
    const sample = { at: new Date().toISOString(), clients: 1, nodes, edges: [] }
    for (const reader of this.#readers) reader.write(`event: sample\ndata: ${JSON.stringify(sample)}\n\n`)
  }

  #status(): unknown {
    const since = new Date(Date.now() - 60_000).toISOString()
    const nodes = this.nodes.map(({ id, why = '' }) => {
      const texts = { kind: 'output', type: 'http-ts', state: 'ready', why, since, from: [] }
      return { id, ...texts, restarts: 0, receivedBytes: 0, sentBytes: 0, clients: 1, details: { note: why } }
    })
    return {
      ...{ version: '0.1.0', startedAt: since, uptimeSeconds: 60, ready: true, reasons: [], files: ['/x/live.yaml'] },
      ...{ services: [], listeners: [], pipelines: [{ name: 'live', nodes, edges: [] }] },
    }
  }

  #clients(): unknown {
    const at = new Date().toISOString()
    const texts = { protocol: 'http', client: '192.0.2.1:5000', since: at, state: 'reading' }
    return {
      clients: this.nodes.slice(0, 20).map(({ id, why = '' }, index) => {
        return { id: `v${index}`, node: id, ...texts, userAgent: why, bytes: 0, behindBytes: 0, skips: 0 }
      }),
    }
  }
}
