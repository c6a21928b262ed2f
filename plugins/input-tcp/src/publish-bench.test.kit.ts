// The listener and inputs of this package between fakes, and an engine that accepts or rejects what they publish.
import type { Publisher, PublisherRefusal, Received } from '@millrace/engine/plugin'
import { isEngineError } from '@millrace/engine/plugin'
import { FakeClock, FakeContext, type TestConnection, TestStreamTransport } from '@millrace/engine/testing'
import { BehaviorSubject, type Subscription } from 'rxjs'
import { TCP_CONNECTIONS, type TcpConnections, TcpListener } from './tcp-listener.js'
import { tcpPublishers, type TcpPublishersParts } from './tcp-publishers.js'

/** What the engine does with a publisher; by default it keeps it. */
export type Decide = (publisher: Publisher) => PublisherRefusal | 'accept' | 'keep'

/** What arrived from an accepted publisher. */
export class Taken {
  readonly publisher: Publisher
  readonly parts: Buffer[] = []
  ended: string | undefined
  readonly #source: AsyncDisposable

  constructor(publisher: Publisher) {
    this.publisher = publisher
    const source = publisher.accept({})
    this.#source = source
    source.chunks.subscribe({
      // The array is valid only during the call.
      next: (received: Received) => {
        if (received instanceof Uint8Array) this.parts.push(Buffer.from(received))
      },
      error: (error: unknown) => (this.ended = isEngineError(error) ? error.code : String(error)),
      complete: () => (this.ended = 'complete'),
    })
  }

  get text(): string {
    return Buffer.concat(this.parts).toString('latin1')
  }

  async close(): Promise<void> {
    await this.#source[Symbol.asyncDispose]()
  }
}

export class TestInput {
  readonly context = new FakeContext('one/pub')
  readonly publishers: Publisher[] = []
  readonly taken: Taken[] = []
  /** Without those of publishers for whom another input is asked. */
  refusals = 0
  decide: Decide
  readonly subscription: Subscription

  constructor(parts: Omit<TcpPublishersParts, 'context'>, decide: Decide) {
    this.decide = decide
    this.subscription = tcpPublishers({ ...parts, context: this.context }).subscribe((publisher) => {
      this.publishers.push(publisher)
      const decision = this.decide(publisher)
      if (decision === 'accept') this.taken.push(new Taken(publisher))
      else if (decision !== 'keep' && publisher.reject(decision, 'for a test') !== true) this.refusals++
    })
  }
}

export class PublishBench {
  readonly clock = new FakeClock()
  readonly transport = new TestStreamTransport()
  readonly context = new FakeContext('listeners/pubs')
  readonly provided$ = new BehaviorSubject<TcpConnections | undefined>(undefined)
  readTimeoutMs = 10_000

  openListener(): TcpListener {
    const { context, clock } = this
    const listener = new TcpListener(this.transport, { options: () => ({ headerTimeout: 5000 }), context, clock })
    this.provided$.next(listener.provides)
    return listener
  }

  input(key: 'line' | 'address' = 'line', decide: Decide = () => 'accept'): TestInput {
    const { clock, provided$ } = this
    const listeners: TcpPublishersParts['listeners'] = {
      of: (token, name) => {
        if ((token as symbol) !== (TCP_CONNECTIONS as symbol)) throw new TypeError('another token')
        return { name, value: provided$.value as never, value$: provided$ as never }
      },
    }
    return new TestInput({ listener: 'pubs', key, readTimeoutMs: () => this.readTimeoutMs, clock, listeners }, decide)
  }

  connect(text?: string | Buffer, address?: string): TestConnection {
    const connection = this.transport.connect(address)
    if (text !== undefined) connection.client.write(text)
    return connection
  }
}

/** Resolves when the claim holds; it is looked at in each turn of the event loop. */
export async function settle(claim: () => boolean, what: string): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs;) {
    if (claim()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error(`still not true: ${what}`)
}
