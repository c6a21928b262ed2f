// A client that sends arbitrary bytes, and records the response.
import { connect } from 'node:net'
import type { Socket } from 'node:net'

export class RawClient implements AsyncDisposable {
  readonly socket: Socket
  /** Resolves when the connection is closed, with the milliseconds since it was opened. */
  readonly gone: Promise<number>
  /** Resolves when the server has ended its side, or the connection is closed. */
  readonly ended: Promise<void>
  #text = ''
  #bytes = 0

  /** Reads everything; keeps the first 4 KB. */
  constructor(url: string, options: { readonly allowHalfOpen?: boolean } = {}) {
    const { hostname, port } = new URL(url)
    const openedMs = performance.now()
    this.socket = connect({ host: hostname, port: Number(port), allowHalfOpen: options.allowHalfOpen === true })
    this.socket.on('error', () => undefined)
    this.socket.on('data', (bytes) => {
      this.#bytes += bytes.length
      if (this.#text.length < 4096) this.#text += bytes.toString('latin1')
    })
    this.gone = new Promise((resolve) => this.socket.once('close', () => resolve(performance.now() - openedMs)))
    const ended = new Promise<void>((resolve) => this.socket.once('end', () => resolve()))
    this.ended = Promise.race([ended, this.gone.then(() => undefined)])
  }

  /** The beginning of what was received. */
  get text(): string {
    return this.#text
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The status of the first response, 0 if there is none. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.#text)?.[1] ?? 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    await this.gone
  }
}
