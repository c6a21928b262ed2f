// Publishers in tests: a listening input whose connections the test opens, feeds and breaks.
import { Observable, ReplaySubject, Subject } from 'rxjs'
import type { Who } from '../plugin/audience.js'
import type { NodeContext, Received, Source } from '../plugin/contract.js'
import type { Publisher, PublisherCredentials, PublisherRefusal } from '../plugin/publisher.js'

export interface ScriptedWho {
  /** By default 192.0.2.1. */
  readonly address?: string
  readonly credentials?: PublisherCredentials
  readonly origin?: string
}

/** One connection of a publisher. Bytes that are sent before the engine accepts it are kept, as a socket would. */
export class ScriptedPublisher implements Publisher {
  readonly key: string
  readonly who: Who
  readonly credentials: PublisherCredentials
  readonly origin: string | undefined
  readonly #abort = new AbortController()
  readonly #bytes = new ReplaySubject<Received>()
  /** Why the engine has refused or ended it. */
  refused: { readonly code: PublisherRefusal; readonly why: string } | undefined
  accepts = 0
  subscriptions = 0
  disposals = 0

  constructor(key: string, { address = '192.0.2.1', credentials = {}, origin }: ScriptedWho = {}) {
    this.key = key
    this.credentials = credentials
    this.origin = origin
    const { user } = credentials
    this.who = { protocol: 'test', listener: 'test', client: `${address}:4000`, address, user, agent: '', place: key }
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The engine has closed the connection, or the publisher has left. */
  get isClosed(): boolean {
    return this.#abort.signal.aborted
  }

  send(...received: readonly Received[]): void {
    for (const item of received) this.#bytes.next(item)
  }

  /** Ends its stream. */
  leave(): void {
    this.#abort.abort('left')
    this.#bytes.complete()
  }

  /** Its connection breaks. */
  break(error: unknown): void {
    this.#abort.abort(error)
    this.#bytes.error(error)
  }

  accept(): Source<Received> {
    this.accepts++
    return {
      chunks: new Observable((subscriber) => {
        this.subscriptions++
        return this.#bytes.subscribe(subscriber)
      }),
      [Symbol.asyncDispose]: () => {
        this.disposals++
        this.leave()
        return Promise.resolve()
      },
    }
  }

  reject(code: PublisherRefusal, why: string): void {
    this.refused ??= { code, why }
    this.leave()
  }
}

/** What an input definition in a test returns from `publishers`. */
export class ScriptedPublishers {
  subscriptions = 0
  #publishers = new Subject<Publisher>()

  /** Ready as soon as it is subscribed to. */
  publishers(context: Pick<NodeContext, 'ready'>): Observable<Publisher> {
    return new Observable((subscriber) => {
      this.subscriptions++
      this.#publishers = new Subject()
      context.ready()
      return this.#publishers.subscribe(subscriber)
    })
  }

  connect(key: string, who?: ScriptedWho): ScriptedPublisher {
    const publisher = new ScriptedPublisher(key, who)
    this.#publishers.next(publisher)
    return publisher
  }

  fail(error: unknown): void {
    this.#publishers.error(error)
  }
}
