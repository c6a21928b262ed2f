// An encoder that pushes its stream over a connection, to a TCP listener or a unix socket, and connects again when the
// connection is lost.
import { connect } from 'node:net'
import type { NetConnectOpts, Socket } from 'node:net'
import { until } from '../../e2e/kit/until.js'
import { PacedStream } from './paced-stream.js'

const SIZE = 188
const RETRY_MS = 250
/** A connection that ends sooner has been refused: the one before it may not have been given up yet. */
const REFUSED_MS = 2000

export interface SenderSettings {
  readonly name: string
  readonly clip: Uint8Array
  readonly start90k: number
  /** Where to connect next. */
  to(): NetConnectOpts
  /** Sent before the stream. */
  readonly header: string
}

export class StreamSender implements AsyncDisposable {
  readonly name: string
  /** What happens to it is the plan of an edit or of the soak: the end of its connection is not a fault. */
  mayEnd = false
  /** It connects again when the other end has closed the connection. */
  comesBack = true
  readonly #settings: SenderSettings
  readonly #stream: PacedStream
  #socket: Socket | undefined
  /** Its connection has got packets. */
  #hasBegun = false
  #retry: NodeJS.Timeout | undefined
  /** It has been disposed. */
  isOver = false
  #faults: string[] = []

  constructor(settings: SenderSettings) {
    this.name = settings.name
    this.#settings = settings
    this.#stream = new PacedStream(settings.clip, settings.start90k, (packets) => this.#send(packets))
    this.connect()
  }

  get isConnected(): boolean {
    return this.#socket?.readyState === 'open'
  }

  get isClosed(): boolean {
    return this.#socket === undefined
  }

  /** The connections that the other end has closed since the last call, if nothing allowed it. */
  takeFaults(): string[] {
    const faults = this.#faults
    this.#faults = []
    return faults
  }

  connect(): void {
    clearTimeout(this.#retry)
    if (this.isOver || (this.#socket !== undefined && !this.#socket.destroyed)) return
    const socket = connect(this.#settings.to())
    this.#socket = socket
    this.#hasBegun = false
    if (this.#settings.header !== '') socket.write(this.#settings.header)
    socket.on('error', () => undefined)
    socket.resume()
    let openMs = Infinity
    socket.once('connect', () => {
      openMs = performance.now()
    })
    socket.once('close', () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      const lastedMs = performance.now() - openMs
      if (lastedMs > REFUSED_MS && !this.mayEnd) {
        this.#faults.push(`${this.name}: closed by the engine after ${lastedMs.toFixed(0)} ms`)
      }
      if (this.comesBack) this.#retry = setTimeout(() => this.connect(), RETRY_MS)
    })
  }

  /** The other end may close the connection, and it does not come back. */
  leaves(): void {
    this.mayEnd = true
    this.comesBack = false
  }

  /** It comes back from now on, and its connection may not end. */
  stays(): void {
    this.mayEnd = false
    this.comesBack = true
    this.connect()
  }

  /** Breaks the connection, as a lost line does. It stays away until `connect`. */
  drop(): void {
    clearTimeout(this.#retry)
    const socket = this.#socket
    this.#socket = undefined
    if ('path' in this.#settings.to()) socket?.destroy()
    else socket?.resetAndDestroy()
  }

  /** Resolves when the other end has closed the connection. */
  async refused(what: string): Promise<void> {
    await until(() => this.#socket === undefined, `${this.name} is refused: ${what}`)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true
    this.#stream[Symbol.dispose]()
    this.drop()
    return Promise.resolve()
  }

  /** Each connection begins with a group of pictures, as that of an encoder does. */
  #send(packets: Buffer): void {
    if (!this.isConnected) return
    const begin = this.#hasBegun ? 0 : findGroup(packets)
    if (begin === undefined) return
    this.#hasBegun = true
    this.#socket?.write(packets.subarray(begin))
  }
}

/** Offset of a PAT that is followed by the PMT and a key frame: by a packet with the random_access_indicator. */
function findGroup(packets: Buffer): number | undefined {
  for (let at = 0; at + 3 * SIZE <= packets.length; at += SIZE) {
    const isPat = (packets.readUInt16BE(at + 1) & 0x1fff) === 0
    const key = at + 2 * SIZE
    const hasField = ((packets[key + 3] ?? 0) & 0x20) !== 0 && (packets[key + 4] ?? 0) > 0
    if (isPat && hasField && ((packets[key + 5] ?? 0) & 0x40) !== 0) return at
  }
  return undefined
}
