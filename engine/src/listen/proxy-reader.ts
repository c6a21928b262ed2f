// Reads the PROXY header from a new connection, before TLS and HTTP. Bounded in bytes and in time.
import type { Socket } from 'node:net'
import type { Clock } from '../plugin/tokens.js'
import type { Peer } from './client-address.js'
import { MAX_PROXY_HEADER_BYTES, parseProxyHeader, type ProxyVersion } from './proxy-header.js'

export interface ProxyReaderOptions {
  readonly clock: Clock
  readonly version: ProxyVersion
  readonly timeoutMs: number
  /** Called once. `client` is undefined if the balancer speaks for itself; `rest` is what followed the header. */
  onClient(client: Peer | undefined, rest: Buffer): void
  /** Called once, instead of `onClient`. */
  onBad(): void
}

const NOTHING = Buffer.alloc(0)

export class ProxyReader {
  readonly #socket: Socket
  readonly #options: ProxyReaderOptions
  readonly #timer: Disposable
  #collected: Buffer = NOTHING

  /** Attaches its listeners at once and removes them before it calls back. */
  constructor(socket: Socket, options: ProxyReaderOptions) {
    this.#socket = socket
    this.#options = options
    this.#timer = options.clock.after(options.timeoutMs, this.#refuse)
    socket.on('data', this.#onData)
    socket.on('end', this.#refuse)
    socket.on('close', this.#refuse)
  }

  readonly #onData = (chunk: Buffer): void => {
    const kept = this.#collected.length
    const bytes = kept === 0 ? chunk : Buffer.concat([this.#collected, chunk])
    const reading = parseProxyHeader(bytes.subarray(0, MAX_PROXY_HEADER_BYTES), this.#options.version)
    if (reading.state === 'bad') return this.#refuse()
    if (reading.state === 'more') {
      this.#collected = bytes
      return
    }
    this.#detach()
    this.#options.onClient(reading.client, bytes.subarray(reading.length))
  }

  readonly #refuse = (): void => {
    this.#detach()
    this.#options.onBad()
  }

  #detach(): void {
    this.#timer[Symbol.dispose]()
    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#refuse)
    this.#socket.off('close', this.#refuse)
  }
}
