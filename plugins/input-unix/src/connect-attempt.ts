// `mode: connect`: one connection to the socket of a program.
import type { Json, Received, StreamSocket } from '@millrace/engine/plugin'
import type { Subscriber } from 'rxjs'
import { Silence } from './silence.js'
import { unixError } from './unix-errors.js'
import type { Attempt, UnixParts } from './attempt.js'

export class ConnectAttempt implements Attempt {
  readonly #parts: UnixParts
  readonly #subscriber: Subscriber<Received>
  #socket: StreamSocket | undefined
  #silence: Silence | undefined
  #isConnected = false
  #holds = 0
  #hold: Disposable | undefined

  constructor(parts: UnixParts, subscriber: Subscriber<Received>) {
    this.#parts = parts
    this.#subscriber = subscriber
  }

  start(): void {
    const { sockets, options$, context, clock, counters } = this.#parts
    const { path } = options$.value
    const subscriber = this.#subscriber
    try {
      this.#socket = sockets.connect(
        { path },
        {
          onConnect: () => {
            this.#isConnected = true
            counters.connections++
            this.#silence = new Silence(
              clock,
              () => this.#timeoutMs(),
              (limitMs) => {
                subscriber.error(unixError('UNIX_SILENT', `${path}: nothing arrived for ${limitMs / 1000} s`))
              },
            )
            context.ready()
          },
          onBytes: (bytes) => {
            this.#silence?.note()
            subscriber.next(bytes)
          },
          onClose: (error) => {
            this.#isConnected = false
            subscriber.error(error ?? unixError('UNIX_ENDED', `${path}: the program has closed the connection`))
          },
        },
      )
      if (this.#holds > 0) this.#hold = this.#socket.hold()
    } catch (error) {
      subscriber.error(error)
    }
  }

  update(): void {
    // `readTimeout` is read when it is needed.
  }

  hold(): Disposable {
    let isHeld = true
    if (++this.#holds === 1) this.#hold = this.#socket?.hold()
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        this.#silence?.note()
        if (--this.#holds > 0) return
        this.#hold?.[Symbol.dispose]()
        this.#hold = undefined
      },
    }
  }

  giveUp(why: string): void {
    this.#subscriber.error(unixError('UNIX_NO_PACKETS', `${this.#parts.options$.value.path}: ${why}`))
  }

  details(): Json {
    const { path, mode } = this.#parts.options$.value
    return { path, mode, connected: this.#isConnected }
  }

  async close(): Promise<void> {
    this.#silence?.[Symbol.dispose]()
    await this.#socket?.[Symbol.asyncDispose]()
  }

  #timeoutMs(): number {
    return this.#holds === 0 ? this.#parts.options$.value.readTimeout : 0
  }
}
