// The source: each subscription is one attempt, which listens until it is cancelled, or is one connection.
import type { PacketTimeout, Received, Source } from '@millrace/engine/plugin'
import { Observable, type Subscriber, type Subscription } from 'rxjs'
import type { Attempt, UnixParts } from './attempt.js'
import { ConnectAttempt } from './connect-attempt.js'
import { ListenAttempt } from './listen-attempt.js'

export class UnixSource implements Source<Received> {
  readonly chunks: Observable<Received>
  /** Of `mode: connect`; one that listens can only wait for another writer. */
  readonly packetTimeout?: PacketTimeout
  readonly #parts: UnixParts
  readonly #changes: Subscription
  readonly #closing = new Set<Promise<void>>()
  readonly #holds = new Set<{ inner: Disposable | undefined }>()
  #attempt: Attempt | undefined

  constructor(parts: UnixParts) {
    this.#parts = parts
    const { context, counters, options$ } = parts
    context.readMetric('unix_connections_total', () => counters.connections)
    context.readMetric('unix_refused_connections_total', () => counters.refused)
    context.details(() => this.#attempt?.details() ?? {})
    this.#changes = options$.subscribe((options) => this.#attempt?.update(options))
    this.chunks = new Observable((subscriber) => this.#start(subscriber))
    if (options$.value.mode === 'listen') return
    const current = (): Attempt | undefined => this.#attempt
    this.packetTimeout = {
      get ms() {
        return options$.value.readTimeout
      },
      giveUp: (why) => current()?.giveUp?.(why),
    }
  }

  /** While held, nothing is read: the writer has to wait. */
  hold(): Disposable {
    const held = { inner: this.#attempt?.hold() }
    this.#holds.add(held)
    return {
      [Symbol.dispose]: () => {
        if (this.#holds.delete(held)) held.inner?.[Symbol.dispose]()
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#changes.unsubscribe()
    this.#end(this.#attempt)
    await Promise.all(this.#closing)
  }

  #start(subscriber: Subscriber<Received>): () => void {
    const { mode } = this.#parts.options$.value
    const attempt =
      mode === 'listen' ? new ListenAttempt(this.#parts, subscriber) : new ConnectAttempt(this.#parts, subscriber)
    this.#attempt = attempt
    for (const held of this.#holds) held.inner = attempt.hold()
    attempt.start()
    return () => this.#end(attempt)
  }

  #end(attempt: Attempt | undefined): void {
    if (attempt === undefined) return
    if (attempt === this.#attempt) this.#attempt = undefined
    const closing = attempt.close()
    this.#closing.add(closing)
    void closing.finally(() => this.#closing.delete(closing))
  }
}
