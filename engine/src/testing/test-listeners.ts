// LISTENERS in tests: what a node mounts on an HTTP listener is served on a port of this machine; what listeners provide
// is what the test says.
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BehaviorSubject } from 'rxjs'
import type { HttpHandler, HttpRoutes, MountOptions } from '../plugin/http-routes.js'
import type { Provided } from '../plugin/listener.js'
import type { Listeners, Token } from '../plugin/tokens.js'

interface Mount extends MountOptions {
  readonly handle: HttpHandler
}

export class TestListeners implements Listeners, AsyncDisposable {
  /** Errors of handlers, answered with 500. */
  readonly failures: unknown[] = []
  readonly #mounts = new Set<Mount>()
  readonly #provided = new Map<string, BehaviorSubject<unknown>>()
  readonly #enter: <T>(run: () => T) => T
  #server: Server | undefined

  /** `enter` runs code of the node. */
  constructor(enter: <T>(run: () => T) => T = (run) => run()) {
    this.#enter = enter
  }

  /** Paths that are mounted. */
  get paths(): readonly string[] {
    return [...this.#mounts].map(({ path }) => path)
  }

  http(name: string): HttpRoutes {
    const mount = (options: MountOptions, handle: HttpHandler): Disposable => {
      const entry = { ...options, handle }
      this.#mounts.add(entry)
      return { [Symbol.dispose]: () => void this.#mounts.delete(entry) }
    }
    return { name, origins: [], listed: () => [], mount }
  }

  of<T>(_token: Token<T>, name: string): Provided<T> {
    const value$ = this.#subject(name) as BehaviorSubject<T | undefined>
    return {
      name,
      get value() {
        return value$.value
      },
      value$,
    }
  }

  /** From now on the listener of that name provides this. */
  provide(name: string, value: unknown): void {
    this.#subject(name).next(value)
  }

  /** Serves what is mounted; resolves to the port. */
  async serve(): Promise<number> {
    const server = createServer((request, response) => this.#answer(request, response))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  #subject(name: string): BehaviorSubject<unknown> {
    const subject = this.#provided.get(name) ?? new BehaviorSubject<unknown>(undefined)
    this.#provided.set(name, subject)
    return subject
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => undefined)
    const [path = '/', query = ''] = (request.url ?? '/').split('?')
    const mount = [...this.#mounts].find((each) => (each.prefix ? path.startsWith(each.path) : path === each.path))
    if (mount === undefined) return void response.writeHead(404).end()
    if (!(mount.methods ?? ['GET', 'HEAD']).includes(request.method ?? '')) return void response.writeHead(405).end()
    const address = '127.0.0.1'
    const client = `${address}:${request.socket.remotePort ?? 0}`
    const who = { protocol: 'http', listener: 'test', client, address, user: undefined, agent: '', place: path }
    const visit = { client, address, user: undefined, path, query, who }
    const answer = async (): Promise<unknown> => this.#enter(() => mount.handle(request, response, visit))
    answer().catch((error: unknown) => {
      this.failures.push(error)
      if (!response.headersSent) response.writeHead(500).end()
    })
  }
}
