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
  /** Where the key comes from. */
  readonly source: KeySource
  readonly key: string
  readonly credentials: PublisherCredentials
}

/** An input that takes connections. */
export interface TcpTaker {
  readonly key: KeySource
  /**
   * Called in the scope of the listener. False if it does not take this key: then the next input is asked. `isLast`: there
   * is no other one.
   */
  take(arrival: TcpArrival, isLast: boolean): boolean
  /** Connections are keyed by the other source now, for an input that came later; or no longer. */
  onOtherSource(isOther: boolean): void
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
  'overloaded',
  'failed',
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
    for (const taker of takers) taker.onOtherSource(taker.key !== source)
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
      const key = keyOfAddress(connection.who.address)
      return this.#offer({ connection, source: 'address', key, credentials: {} })
    }
    const { context, clock, options } = this.#parts
    readKeyLine(connection.socket, {
      clock,
      guard: (run) => context.guard(run),
      timeoutMs: options().headerTimeout,
      onLine: ({ key, ...credentials }) => this.#offer({ connection, source: 'line', key, credentials }),
      onBad: (problem) => connection.refuse(problem, answerTo('line', problem)),
    })
  }

  #offer(arrival: TcpArrival): void {
    const { connection, source } = arrival
    const takers = this.#takers.filter(({ key }) => key === source)
    if (takers.some((taker, index) => taker.take(arrival, index === takers.length - 1))) return
    const reason = takers.length === 0 ? 'no-input' : 'bad-key'
    connection.refuse(reason, answerTo(source, reason))
  }
}

/**
 * What a refused sender is told. One that writes a line for us can read one; others expect nothing from a receiver, and
 * bytes that they never read would turn their own close into a reset.
 */
export function answerTo(source: KeySource, reason: string): string | undefined {
  return source === 'line' ? `ERR ${reason}\n` : undefined
}
