// One connection over an SrtSocket: the core's connection with a clock.
import type { Connection, EndReason } from '../connection.js'
import type { ConnectionStats } from '../connection-stats.js'
import type { ConnectionEvents } from '../endpoint.js'
import type { PeerAddress } from '../handshake/cookie.js'

/** What a connection needs of its socket. */
interface SocketClock {
  nowUs(): number
  /** The connection was used: its deadline may be earlier. */
  touched(connection: Connection): void
}

export class SrtConnection implements AsyncDisposable {
  /** Called with payloads that are due, in order: about every 10 ms while there are some. They are the handler's. */
  onData: (payloads: Uint8Array[]) => void = () => {}
  /** Called once, after the last payload. */
  onClose: (reason: EndReason) => void = () => {}
  /** Resolves when the connection has ended. */
  readonly closed: Promise<EndReason>
  readonly #connection: Connection
  readonly #socket: SocketClock
  readonly #settle: (reason: EndReason) => void

  constructor(connection: Connection, socket: SocketClock) {
    this.#connection = connection
    this.#socket = socket
    let settle: (reason: EndReason) => void = () => {}
    this.closed = new Promise((resolve) => (settle = resolve))
    this.#settle = settle
  }

  get peer(): PeerAddress {
    return this.#connection.peer
  }

  get streamId(): string | undefined {
    return this.#connection.session.streamId
  }

  /** Largest payload of one packet: both sides' MTU counts. */
  get payloadBytes(): number {
    return this.#connection.session.payloadBytes
  }

  get isClosed(): boolean {
    return this.#connection.isEnded
  }

  /**
   * Sends payloads, one packet each, at most `payloadBytes` long, that must not change for as long as they may be sent
   * again. Returns how many were taken: fewer if the buffer is full or the connection is closed. `originMs` is
   * their time for the peer's delivery, as `performance.now()` has it; now by default.
   */
  send(payloads: readonly Uint8Array[], originMs?: number): number {
    const nowUs = this.#socket.nowUs()
    const originUs = originMs === undefined ? nowUs : originMs * 1000
    let taken = 0
    while (taken < payloads.length && this.#connection.send(payloads[taken]!, nowUs, originUs)) taken++
    this.#advance(nowUs)
    return taken
  }

  /**
   * Sends the bytes from `start` to `end` of the option `source`, in packets of at most `payloadBytes`. Their times for
   * the peer's delivery run from `fromMs` to `toMs`. Returns the position that it has reached: less than `end` if the
   * buffer is full or the connection is closed.
   */
  sendFrom(start: number, end: number, payloadBytes: number, fromMs: number, toMs = fromMs): number {
    const nowUs = this.#socket.nowUs()
    const usPerByte = ((toMs - fromMs) * 1000) / Math.max(1, end - start)
    let at = start
    while (at < end) {
      const bytes = Math.min(payloadBytes, end - at)
      if (!this.#connection.sendAt(at, bytes, nowUs, fromMs * 1000 + (at - start) * usPerByte)) break
      at += bytes
    }
    this.#advance(nowUs)
    return at
  }

  /** Marks a place among the packets sent, for `hasDroppedSince`. */
  get sendMark(): number {
    return this.#connection.sendMark
  }

  /** Whether a packet sent since the mark was given up: it was too late, or no longer in the source. */
  hasDroppedSince(mark: number): boolean {
    return this.#connection.hasDroppedSince(mark)
  }

  stats(): ConnectionStats {
    return this.#connection.stats(this.#socket.nowUs())
  }

  /** Closes once the peer has acknowledged and delivered what was sent, at the latest after the latency and 2 s. */
  close(): Promise<EndReason> {
    this.#connection.close(this.#socket.nowUs())
    this.#socket.touched(this.#connection)
    return this.closed
  }

  /** Closes at once: what was not acknowledged is lost. */
  end(reason: EndReason = 'closed'): void {
    this.#connection.end(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** What the core calls. */
  events(): ConnectionEvents {
    return {
      deliver: (payloads) => this.onData(payloads),
      ended: (reason) => {
        this.#settle(reason)
        this.onClose(reason)
      },
    }
  }

  #advance(nowUs: number): void {
    this.#connection.advance(nowUs)
    this.#socket.touched(this.#connection)
  }
}
