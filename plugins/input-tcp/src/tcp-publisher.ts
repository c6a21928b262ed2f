// A connection whose key is known, as the engine sees it: it decides whether to take the stream.
import type {
  NodeContext,
  Publisher,
  PublisherCredentials,
  PublisherRefusal,
  Received,
  Source,
  Who,
} from '@millrace/engine/plugin'
import { Observable } from 'rxjs'
import type { ReadingTurns } from './reading-turns.js'
import { SocketReader, type SocketReaderParts } from './socket-reader.js'
import { answerTo, type TcpArrival } from './tcp-listener.js'

export interface TcpPublisherParts extends Pick<SocketReaderParts, 'clock' | 'readTimeoutMs'> {
  /** Of all publishers of the input. */
  readonly turns: ReadingTurns
  readonly context: NodeContext
  /** No other input is asked if this one does not take the key. */
  readonly isLast: boolean
}

export class TcpPublisher implements Publisher {
  readonly key: string
  readonly who: Who
  readonly credentials: PublisherCredentials
  /** While it is offered: the engine has said, at once, that the input does not take this key. */
  isDeclined = false
  #isOffered = true
  /** It has been told why it is refused, and the engine closes the connection. */
  #isEnding = false
  #reader: SocketReader | undefined
  readonly #arrival: TcpArrival
  readonly #parts: TcpPublisherParts
  readonly #abort = new AbortController()
  readonly #closed: Promise<void>

  constructor(arrival: TcpArrival, parts: TcpPublisherParts) {
    const { connection, key, credentials } = arrival
    this.#arrival = arrival
    this.#parts = parts
    this.key = key
    this.who = { ...connection.who, user: credentials.user, place: key }
    this.credentials = credentials
    const { socket } = connection
    this.#closed = new Promise((resolve) => {
      const gone = parts.context.guard(() => {
        this.#abort.abort('the connection is closed')
        resolve()
      })
      if (socket.closed) gone()
      else socket.once('close', gone)
    })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The input has been offered it: from now on a refusal closes the connection. */
  offered(): void {
    this.#isOffered = false
  }

  accept(): Source<Received> {
    const { connection } = this.#arrival
    const { context, clock, readTimeoutMs, turns } = this.#parts
    connection.identified()
    return {
      pause: () => this.#reader?.hold(),
      chunks: new Observable((subscriber) => {
        const reader = new SocketReader(connection.socket, {
          clock,
          readTimeoutMs,
          turns,
          guard: (run) => context.guard(run),
          onBytes: (bytes) => subscriber.next(bytes),
          onEnd: () => subscriber.complete(),
          onFailure: (error) => subscriber.error(error),
        })
        this.#reader = reader
        return () => reader[Symbol.dispose]()
      }),
      [Symbol.asyncDispose]: () => {
        if (!this.#isEnding) connection.socket.destroy()
        return this.#closed
      },
    }
  }

  reject(code: PublisherRefusal, _why: string): boolean {
    this.isDeclined = this.#isOffered && code === 'bad-key'
    if (!this.isDeclined) this.#refuse(code)
    return this.isDeclined && !this.#parts.isLast
  }

  #refuse(code: PublisherRefusal): void {
    const { connection, source } = this.#arrival
    const answer = answerTo(source, code)
    this.#reader?.[Symbol.dispose]()
    this.#isEnding = answer !== undefined && code !== 'closing'
    // These two say nothing about the sender, so they are not counted. An engine that stops does not wait for anybody.
    if (code === 'closing') connection.socket.destroy()
    else if (code !== 'replaced') connection.refuse(code, answer)
    else if (answer === undefined) connection.socket.destroy()
    else connection.end(answer)
  }
}
