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
import { SocketReader, type SocketReaderParts } from './socket-reader.js'
import type { TcpArrival } from './tcp-listener.js'

/** Refusals that say nothing about the sender. */
const UNCOUNTED: ReadonlySet<PublisherRefusal> = new Set(['closing', 'replaced'])

export interface TcpPublisherParts extends Pick<SocketReaderParts, 'clock' | 'readTimeoutMs'> {
  readonly context: NodeContext
}

export class TcpPublisher implements Publisher {
  readonly key: string
  readonly who: Who
  readonly credentials: PublisherCredentials
  /** While it is offered: the engine has said, at once, that the input does not take this key. */
  isDeclined = false
  #isOffered = true
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
    const { context, clock, readTimeoutMs } = this.#parts
    connection.identified()
    return {
      chunks: new Observable((subscriber) => {
        const reader = new SocketReader(connection.socket, {
          clock,
          readTimeoutMs,
          guard: (run) => context.guard(run),
          onBytes: (bytes) => subscriber.next(bytes),
          onEnd: () => subscriber.complete(),
          onFailure: (error) => subscriber.error(error),
        })
        return () => reader[Symbol.dispose]()
      }),
      [Symbol.asyncDispose]: () => {
        connection.socket.destroy()
        return this.#closed
      },
    }
  }

  reject(code: PublisherRefusal, _why: string): void {
    const { connection } = this.#arrival
    if (this.#isOffered && code === 'bad-key') this.isDeclined = true
    else if (UNCOUNTED.has(code)) connection.socket.destroy()
    else connection.refuse(code)
  }
}
