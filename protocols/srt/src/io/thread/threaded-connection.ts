// One connection whose socket is in a thread of its own.
import type { EndReason } from '../../connection.js'
import type { ConnectionStats } from '../../connection-stats.js'
import type { PeerAddress } from '../../handshake/cookie.js'
import type { SrtConnection } from '../srt-connection.js'
import type { OpenedConnection, ToThread } from './thread-messages.js'
import { memoryOf, packPayloads } from './thread-messages.js'

/** Of payloads that the thread has not taken yet: `send` takes no more. */
const MOST_SENDING_BYTES = 8 * 1024 * 1024

/** What both kinds of connections have. */
type Shared = Pick<
  SrtConnection,
  | 'closed'
  | 'peer'
  | 'streamId'
  | 'payloadBytes'
  | 'isClosed'
  | 'onData'
  | 'onClose'
  | 'send'
  | 'stats'
  | 'close'
  | 'end'
>

export interface ConnectionThread {
  post(message: ToThread, transfer?: ArrayBuffer[]): void
  /** Statistics are asked for, now and then. */
  refresh(): void
}

export class ThreadedConnection implements Shared, AsyncDisposable {
  /**
   * Called with payloads that are due, in order: about every 10 ms while there are some. They are the handler's; those of
   * one call share one ArrayBuffer.
   */
  onData: (payloads: Uint8Array[]) => void = () => {}
  /** Called once, after the last payload. */
  onClose: (reason: EndReason) => void = () => {}
  /** Resolves when the connection has ended. */
  readonly closed: Promise<EndReason>
  readonly peer: PeerAddress
  readonly streamId: string | undefined
  readonly payloadBytes: number
  /** Payloads that `send` has taken, and that did not fit into the buffer of the connection after all. */
  unsent = 0
  readonly #id: number
  readonly #thread: ConnectionThread
  readonly #settle: (reason: EndReason) => void
  #stats: ConnectionStats
  #sendingBytes = 0
  #isClosed = false
  /** Nothing more is sent. */
  #isClosing = false
  #isEnding = false

  constructor({ id, peer, streamId, payloadBytes, stats }: OpenedConnection, thread: ConnectionThread) {
    this.#id = id
    this.#thread = thread
    this.peer = peer
    this.streamId = streamId
    this.payloadBytes = payloadBytes
    this.#stats = stats
    let settle: (reason: EndReason) => void = () => {}
    this.closed = new Promise((resolve) => (settle = resolve))
    this.#settle = settle
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#isEnding
  }

  /**
   * Sends payloads, one packet each, at most `payloadBytes` long; they are copied. Returns how many were taken: fewer if the
   * thread has not taken those before, none if the connection is closed. `originMs` is their time for the peer's delivery, as
   * `performance.now()` has it here; now by default.
   */
  send(payloads: readonly Uint8Array[], originMs = performance.now()): number {
    let taken = 0
    let bytes = 0
    for (const { length } of payloads) {
      if (this.#isClosing || this.#isClosed || this.#sendingBytes + bytes + length > MOST_SENDING_BYTES) break
      bytes += length
      taken++
    }
    if (taken === 0) return 0
    this.#sendingBytes += bytes
    const packed = packPayloads(this.#id, payloads.slice(0, taken))
    this.#thread.post({ type: 'send', payloads: packed, originMs }, memoryOf(packed))
    return taken
  }

  /** As the thread told them last: they are asked for with each call, several times a second at most. */
  stats(): ConnectionStats {
    if (!this.#isClosed) this.#thread.refresh()
    return this.#stats
  }

  /** Closes once the peer has acknowledged and delivered what was sent, at the latest after the latency and 2 s. */
  close(): Promise<EndReason> {
    if (!this.isClosed) this.#thread.post({ type: 'close', connection: this.#id })
    this.#isClosing = true
    return this.closed
  }

  /** Closes at once: what was not acknowledged is lost. */
  end(reason: EndReason = 'closed'): void {
    if (!this.isClosed) this.#thread.post({ type: 'end', connection: this.#id, reason })
    this.#isClosing = true
    this.#isEnding = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal What the thread tells. */
  noteStats(stats: ConnectionStats): void {
    this.#stats = stats
  }

  /** @internal */
  noteSent(bytes: number, untaken: number): void {
    this.#sendingBytes -= bytes
    this.unsent += untaken
  }

  /** @internal */
  noteEnded(reason: EndReason): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#settle(reason)
    this.onClose(reason)
  }
}
