// The listener: finds out the key of each connection and offers it to the inputs that take connections from it.
import { token } from '@millrace/engine/plugin'
import type {
  Clock,
  NodeContext,
  PublisherCredentials,
  StreamConnection,
  StreamTransport,
  Token,
} from '@millrace/engine/plugin'
import { keyOfAddress } from './key-line.js'
import { readKeyLine } from './line-reader.js'
import type { TcpListenerOptions } from './tcp-options.js'

/** Where the key of a stream comes from. */
export type KeySource = 'line' | 'address'

/** A connection whose key is known. */
export interface TcpArrival {
  readonly connection: StreamConnection
  readonly key: string
  readonly credentials: PublisherCredentials
}

/** An input that takes connections. */
export interface TcpTaker {
  readonly key: KeySource
  /** Called in the scope of the listener. False if it does not take this key: another input may. */
  take(arrival: TcpArrival): boolean
  /** Connections are keyed by the other source now, for an input that came later; or no longer. */
  onShadowed(isShadowed: boolean): void
}

/** What the listener provides. */
export interface TcpConnections {
  /**
   * From now on the input is offered connections, before all inputs that came earlier. The latest input decides where keys
   * come from: a connection is read only once.
   */
  offerTo(taker: TcpTaker): Disposable
}

export const TCP_CONNECTIONS: Token<TcpConnections> = token('tcp.Connections')

/** Why a connection is refused. Of publishers, what the engine says. */
export const REFUSALS = [
  'header',
  'header-too-long',
  'header-timeout',
  'incomplete',
  'no-input',
  'unauthorized',
  'forbidden',
  'busy',
  'full',
  'bad-key',
  'not-media',
  'offline',
] as const

export interface TcpListenerParts {
  readonly options: () => TcpListenerOptions
  readonly context: NodeContext
  readonly clock: Clock
}

export class TcpListener implements TcpConnections, AsyncDisposable {
  readonly provides: TcpConnections = this
  readonly #parts: TcpListenerParts
  /** Latest first. */
  #takers: readonly TcpTaker[] = []

  constructor(transport: Pick<StreamTransport, 'accept'>, parts: TcpListenerParts) {
    this.#parts = parts
    transport.accept((connection) => this.#take(connection))
    parts.context.details(() => ({ inputs: this.#takers.length }))
    this.#report()
  }

  offerTo(taker: TcpTaker): Disposable {
    this.#change([taker, ...this.#takers])
    return {
      [Symbol.dispose]: () => {
        if (this.#takers.includes(taker)) this.#change(this.#takers.filter((other) => other !== taker))
      },
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#takers = []
    return Promise.resolve()
  }

  #change(takers: readonly TcpTaker[]): void {
    this.#takers = takers
    const source = takers[0]?.key
    for (const taker of takers) taker.onShadowed(taker.key !== source)
    this.#report()
  }

  #report(): void {
    const { context } = this.#parts
    if (this.#takers.length > 0) context.ready()
    else context.idle('no input takes streams from it')
  }

  #take(connection: StreamConnection): void {
    const [latest] = this.#takers
    if (latest === undefined) return connection.refuse('no-input')
    if (latest.key === 'address') {
      return this.#offer({ connection, key: keyOfAddress(connection.who.address), credentials: {} }, 'address')
    }
    const { context, clock, options } = this.#parts
    readKeyLine(connection.socket, {
      clock,
      guard: (run) => context.guard(run),
      timeoutMs: options().headerTimeout,
      onLine: ({ key, ...credentials }) => this.#offer({ connection, key, credentials }, 'line'),
      onBad: (problem) => connection.refuse(problem),
    })
  }

  #offer(arrival: TcpArrival, source: KeySource): void {
    const takers = this.#takers.filter(({ key }) => key === source)
    if (takers.length === 0) return arrival.connection.refuse('no-input')
    if (!takers.some((taker) => taker.take(arrival))) arrival.connection.refuse('bad-key')
  }
}
