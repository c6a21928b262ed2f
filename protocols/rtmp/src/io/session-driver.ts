// Runs a session over a port: bytes, time and deadlines.
import type { End } from '../session/end.js'
import type { LinkHost, LinkStats } from '../session/link.js'
import type { OpenPort, StreamPort, TransportHost } from './stream-port.js'

/** What a server's and a client's session have in common. */
export interface DrivenSession {
  readonly deadlineMs: number
  readonly isEnded: boolean
  receive(bytes: Uint8Array, nowMs: number): void
  drained(nowMs: number): void
  advance(nowMs: number): void
  disconnected(detail: string): void
  stats(nowMs: number): LinkStats
}

/** The peer has so long to read the last message, and to close. */
const LINGER_MS = 2000
/** What waits in the socket is read within this time. */
const READ_MS = 1000

export class SessionDriver implements LinkHost {
  #host: TransportHost
  readonly #port: StreamPort
  readonly #onEnd: (end: End) => void
  #session: DrivenSession | undefined
  #timer: Disposable | undefined
  #timerMs = Infinity
  #isOver = false
  #releasedMs = -Infinity
  #holds = 0

  /** @param onEnd called once, when the session has ended */
  constructor(host: TransportHost, open: OpenPort, onEnd: (end: End) => void) {
    this.#host = host
    this.#onEnd = onEnd
    this.#port = open({
      onBytes: (bytes) => this.#run((session, nowMs) => session.receive(bytes, nowMs)),
      onDrain: () => this.#run((session, nowMs) => session.drained(nowMs)),
      onClose: (error) => this.#closed(error),
    })
  }

  get nowMs(): number {
    return this.#host.nowMs()
  }

  /** Reading begins. */
  start(session: DrivenSession): void {
    this.#session = session
    this.#port.resume()
    this.touched()
  }

  /** Something was done with the session: its deadline may be earlier. */
  touched(): void {
    const deadlineMs = this.#session?.deadlineMs ?? Infinity
    if (this.#isOver || deadlineMs >= this.#timerMs) return
    this.#setTimer(deadlineMs)
  }

  /** From now on its timers are those of another host, whose clock is the same. */
  moveTo(host: TransportHost): void {
    this.#host = host
    if (!this.#isOver) this.#setTimer(this.#session?.deadlineMs ?? Infinity)
  }

  transmit(bytes: Uint8Array): boolean {
    return this.#port.write(bytes)
  }

  ended(end: End): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer?.[Symbol.dispose]()
    if (end.code === 'closed' || end.code === 'refused') this.#linger()
    else this.#port.destroy()
    this.#onEnd(end)
  }

  /** Reads nothing until all holds are disposed. */
  hold(): Disposable {
    let isHeld = true
    this.#holds++
    if (!this.#isOver) this.#port.pause()
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        this.#holds--
        this.#releasedMs = this.#host.nowMs()
        if (this.#holds === 0 && !this.#isOver) this.#port.resume()
      },
    }
  }

  #run(work: (session: DrivenSession, nowMs: number) => void): void {
    const session = this.#session
    if (this.#isOver || session === undefined) return
    work(session, this.#host.nowMs())
    this.touched()
  }

  /** What the peer still sends is discarded: unread bytes would turn the close into a reset, and lose the last message. */
  #linger(): void {
    this.#port.end()
    this.#port.resume()
    this.#timer = this.#host.after(LINGER_MS, () => this.#port.destroy())
  }

  #closed(error: Error | undefined): void {
    this.#timer?.[Symbol.dispose]()
    if (!this.#isOver) this.#session?.disconnected(error?.message ?? '')
    this.#port.destroy()
  }

  /** What has not been read is no silence: deadlines wait while it is held, and a moment longer. */
  #advance(): void {
    const nowMs = this.#host.nowMs()
    const readMs = this.#holds > 0 ? nowMs : this.#releasedMs
    if (nowMs - readMs < READ_MS) this.#setTimer(readMs + READ_MS)
    else this.#run((session, now) => session.advance(now))
  }

  #setTimer(deadlineMs: number): void {
    this.#timer?.[Symbol.dispose]()
    this.#timerMs = deadlineMs
    if (deadlineMs === Infinity) return
    this.#timer = this.#host.after(Math.max(1, deadlineMs - this.#host.nowMs()), () => {
      this.#timerMs = Infinity
      this.#advance()
    })
  }
}
