// The connection of an output that calls: made while there is a stream, kept while that pauses, closed when the pause takes
// too long, and made again with back-off whenever it is lost.
import type { NodeContext } from './contract.js'
import type { Clock } from './tokens.js'

/** How often it is checked whether the stream goes on. */
const WATCH_MS = 500
const FIRST_WAIT_MS = 500
const MOST_WAIT_MS = 30_000
/** A connection that has lasted so long, once it was made, was a good one: the back-off begins anew. */
const GOOD_MS = 5000

export interface KeptConnectionParts<E> {
  readonly clock: Clock
  readonly context: Pick<NodeContext, 'degraded' | 'guard' | 'idle'>
  /** Numbers in [0, 1). */
  readonly random: () => number
  /** Whom it calls, without anything secret. */
  target(): string
  /** How long the connection stays while the stream brings nothing. */
  holdMs(): number
  /** True: the first call is made when the stream begins. False: it is made at once. */
  readonly waitsForStream: boolean
  /**
   * One call, and its connection until that has ended: resolves with what went wrong, and never rejects. Once the signal is
   * aborted it is closed, and how it ends does not matter: the stream has left it, or it is to be made anew, or the output ends.
   * `connected` is called once the other side has taken the stream.
   */
  connect(signal: AbortSignal, connected: () => void): Promise<E>
  /** Reports what went wrong; the next call follows after a while. */
  failed(error: E): void
}

export class KeptConnection<E> implements AsyncDisposable {
  readonly #parts: KeptConnectionParts<E>
  readonly #kept: Promise<void>
  /** When the stream brought something last. */
  #streamMs: number
  /** When the newest call was taken; Infinity before. */
  #connectedMs = Infinity
  #call: AbortController | undefined
  #wake: (() => void) | undefined
  #isOver = false
  #isAnew = false
  #isCalling = false

  constructor(parts: KeptConnectionParts<E>) {
    this.#parts = parts
    this.#streamMs = parts.waitsForStream ? -Infinity : parts.clock.nowMs()
    const keep = parts.context.guard(() => this.#keep())
    this.#kept = Promise.resolve(keep())
  }

  /** There is a connection, or it is being made, or it will be at once. */
  get isCalling(): boolean {
    return this.#isCalling
  }

  /** The stream has brought something. */
  noteStream(): void {
    const wasSilent = this.#isSilent
    this.#streamMs = this.#parts.clock.nowMs()
    if (!wasSilent || this.#wake === undefined) return
    this.#isCalling = !this.#isOver
    this.#wake()
  }

  /** Closes the connection, or ends the wait for the next call, and calls at once: its options have changed. */
  callAnew(): void {
    this.#isAnew = true
    this.#call?.abort()
    this.#wake?.()
  }

  /** Closes the connection; there is no further one. */
  stop(): void {
    this.#isOver = true
    this.#call?.abort()
    this.#wake?.()
  }

  /** Resolves when the last connection is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    await this.#kept
  }

  get #isSilent(): boolean {
    const { clock, holdMs } = this.#parts
    return clock.nowMs() - this.#streamMs >= holdMs()
  }

  async #keep(): Promise<void> {
    const { clock, failed } = this.#parts
    for (let failures = 0; !this.#isOver;) {
      if (this.#isSilent) {
        await this.#untilStream()
        continue
      }
      this.#isAnew = false
      const error = await this.#connectOnce()
      if (error === undefined || this.#isOver) continue
      failures = clock.nowMs() - this.#connectedMs >= GOOD_MS ? 0 : failures + 1
      failed(error)
      await this.#wait(failures)
      if (this.#isAnew) failures = 0
    }
  }

  /** Resolves with what went wrong; undefined if the connection was left. */
  async #connectOnce(): Promise<E | undefined> {
    const call = new AbortController()
    this.#call = call
    this.#isCalling = true
    this.#connectedMs = Infinity
    const { clock, connect } = this.#parts
    const watch = clock.every(WATCH_MS, () => {
      if (this.#isSilent) call.abort()
    })
    try {
      const error = await connect(call.signal, () => (this.#connectedMs = clock.nowMs()))
      return call.signal.aborted ? undefined : error
    } finally {
      watch[Symbol.dispose]()
      this.#call = undefined
      this.#isCalling = false
    }
  }

  /** Resolves when the stream goes on, or the output stops. */
  #untilStream(): Promise<void> {
    const { context, target, holdMs } = this.#parts
    if (this.#streamMs === -Infinity) context.idle(`the stream has not begun: ${target()} is not called`)
    else context.degraded(`the stream has brought nothing for ${holdMs() / 1000} s: ${target()} is not called`)
    return new Promise((resolve) => (this.#wake = resolve))
  }

  /** Longer after each failure, with some chance in it: many outputs do not call one server at the same moment. */
  #wait(failures: number): Promise<void> {
    const { clock, random } = this.#parts
    const mostMs = Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10))
    if (this.#isOver || this.#isAnew) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = clock.after(mostMs * (0.5 + random() / 2), resolve)
      this.#wake = () => {
        timer[Symbol.dispose]()
        resolve()
      }
    })
  }
}
