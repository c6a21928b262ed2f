// Upstreams for tests: real servers on a free loopback port. Disposing one closes all its connections.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { createServer as createTcp } from 'node:net'
import { createServer as createTls } from 'node:tls'
import type { AddressInfo, Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificate {
  readonly key: string
  readonly cert: string
}

export class UpstreamServer implements AsyncDisposable {
  /** Requests in order of arrival; a raw server has none. */
  readonly requests: IncomingMessage[] = []
  #requestCount = 0
  readonly #server: Server
  readonly #scheme: string
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, scheme: string) {
    this.#server = server
    this.#scheme = scheme
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.on('request', (request: IncomingMessage) => {
      this.#requestCount++
      this.requests.push(request)
    })
  }

  static http(respond: RequestListener, host?: string): Promise<UpstreamServer> {
    return new UpstreamServer(createHttp(respond), 'http').#listen(host)
  }

  static https(certificate: Certificate, respond: RequestListener): Promise<UpstreamServer> {
    return new UpstreamServer(createHttps({ ...certificate }, respond), 'https').#listen()
  }

  /** A TCP or TLS server: `take` decides what it sends. */
  static raw(
    take: (socket: Socket) => void,
    scheme: 'http' | 'https' = 'http',
    certificate?: Certificate,
  ): Promise<UpstreamServer> {
    const onSocket = (socket: Socket): void => {
      socket.on('error', () => undefined)
      socket.once('data', () => upstream.#requestCount++)
      // A socket that is not read does not notice that it is closed.
      socket.resume()
      take(socket)
    }
    const server = certificate === undefined ? createTcp(onSocket) : createTls({ ...certificate }, onSocket)
    const upstream = new UpstreamServer(server, scheme)
    return upstream.#listen()
  }

  /** Sends the text when a request has arrived, and leaves the connection open. */
  static says(text: string | Uint8Array): Promise<UpstreamServer> {
    return UpstreamServer.raw((socket) => socket.once('data', () => socket.write(text)))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  url(path = '/one.ts', host = '127.0.0.1'): string {
    return `${this.#scheme}://${host}:${this.port}${path}`
  }

  /** Requests received; of a raw server, connections on which data arrived. */
  get requestCount(): number {
    return this.#requestCount
  }

  get connections(): number {
    return this.#sockets.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #listen(host = '127.0.0.1'): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, host, resolve))
    return this
  }
}

/** Self-signed for `localhost`, valid for `days` from now (expired if less than 0). Made by openssl. */
export async function makeCertificate(days = 2): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-http-'))
  const openssl = (...args: readonly string[]): Promise<unknown> => promisify(execFile)('openssl', args)
  try {
    const [key, fresh, cert] = ['key.pem', 'fresh.pem', 'cert.pem'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    await openssl('req', '-x509', ...kind, '-keyout', key, '-out', fresh, ...names)
    // `req` accepts no negative days.
    await openssl('x509', '-in', fresh, '-signkey', key, '-days', String(days), '-out', cert)
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
