// The attempts of an input that calls its sender: one for each subscription of the engine, which decides when the next one
// is made.
import { Observable } from 'rxjs'
import type { Subscriber } from 'rxjs'
import type { Received } from './source.js'

export interface SourceAttempt {
  /** Aborted when the engine has unsubscribed, or the input ends. */
  readonly signal: AbortSignal
  /** Passes on what has come. */
  next(received: Received): void
  /** Resolves with what `fail` was given, or with undefined when the attempt is stopped. */
  readonly over: Promise<Error | undefined>
}

export class SourceAttempts implements AsyncDisposable {
  /** For `chunks` of the source. */
  readonly chunks: Observable<Received>
  readonly #run: (attempt: SourceAttempt) => Promise<void>
  /** Attempts that have not given everything back. */
  readonly #running = new Set<Promise<void>>()
  readonly #stops = new Set<AbortController>()
  #fail: ((error: Error) => void) | undefined

  /** `run` rejects with the error of the attempt, and resolves when it was stopped, with everything given back. */
  constructor(run: (attempt: SourceAttempt) => Promise<void>) {
    this.#run = run
    this.chunks = new Observable((subscriber) => this.#start(subscriber))
  }

  /** Ends the attempt that was started last. */
  fail(error: Error): void {
    this.#fail?.(error)
  }

  /** Resolves when all attempts have given everything back. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops) stop.abort()
    await Promise.all(this.#running)
  }

  #start(subscriber: Subscriber<Received>): () => void {
    const stop = new AbortController()
    const { signal } = stop
    this.#stops.add(stop)
    const over = new Promise<Error | undefined>((resolve) => {
      this.#fail = resolve
      signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    const attempt: SourceAttempt = { signal, over, next: (received) => subscriber.next(received) }
    const running = this.#run(attempt).catch((error: unknown) => subscriber.error(error))
    this.#running.add(running)
    void running.then(() => {
      this.#running.delete(running)
      this.#stops.delete(stop)
    })
    return () => stop.abort()
  }
}
