// `mode: listen`: programs connect and write, one at a time.
import type { Json, Received, UnixListener } from '@millrace/engine/plugin'
import type { Subscriber } from 'rxjs'
import { Silence } from './silence.js'
import type { UnixOptions } from './unix-options.js'
import type { Attempt, UnixParts } from './attempt.js'
import { WriterQueue } from './writer-queue.js'

const NO_WRITER = 'no program is connected to the socket'

export class ListenAttempt implements Attempt {
  readonly #parts: UnixParts
  readonly #subscriber: Subscriber<Received>
  readonly #writers: WriterQueue
  #silence: Silence | undefined
  #listener: UnixListener | undefined
  #opening: Promise<void> | undefined
  #isClosed = false
  /** A writer has sent bytes: the next one begins a new generation. */
  #hasBytes = false
  #holds = 0

  constructor(parts: UnixParts, subscriber: Subscriber<Received>) {
    this.#parts = parts
    this.#subscriber = subscriber
    this.#writers = new WriterQueue({
      onWriter: () => this.#begin(),
      onBytes: (bytes) => {
        this.#silence?.note()
        this.#hasBytes = true
        subscriber.next(bytes)
      },
      onNone: () => {
        if (!this.#isClosed) parts.context.idle(NO_WRITER)
      },
    })
  }

  start(): void {
    this.#opening = this.#open().catch((error: unknown) => {
      if (!this.#isClosed) this.#subscriber.error(error)
    })
  }

  update({ permissions }: UnixOptions): void {
    this.#listener?.setPermissions(Number.parseInt(permissions, 8))
  }

  hold(): Disposable {
    this.#holds++
    const inner = this.#writers.hold()
    return {
      [Symbol.dispose]: () => {
        this.#holds--
        // The reader held it up, not the writer.
        this.#silence?.note()
        inner[Symbol.dispose]()
      },
    }
  }

  details(): Json {
    const { path, mode } = this.#parts.options$.value
    return { path, mode, connected: this.#writers.hasWriter, waiting: this.#writers.waiting }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#silence?.[Symbol.dispose]()
    await Promise.all([this.#listener?.[Symbol.asyncDispose](), this.#writers.close()])
    await this.#opening
  }

  async #open(): Promise<void> {
    const { sockets, options$, context, clock, counters } = this.#parts
    const { path, permissions } = options$.value
    const listener = await sockets.listen({
      path,
      permissions: Number.parseInt(permissions, 8),
      onConnection: (socket) => {
        const callbacks = this.#writers.add(socket, options$.value.secondWriter)
        if (callbacks === undefined) counters.refused++
        return callbacks
      },
      onError: (error) => context.log.warn({ err: error }, 'a connection could not be accepted'),
    })
    if (this.#isClosed) return listener[Symbol.asyncDispose]()
    this.#listener = listener
    this.#silence = new Silence(
      clock,
      () => this.#timeoutMs(),
      (limitMs) => {
        context.log.warn(`the program on the socket wrote nothing for ${limitMs / 1000} s and was disconnected`)
        this.#writers.dropCurrent()
      },
    )
    if (!this.#writers.hasWriter) context.idle(NO_WRITER)
  }

  #timeoutMs(): number {
    return this.#writers.hasWriter && this.#holds === 0 ? this.#parts.options$.value.readTimeout : 0
  }

  #begin(): void {
    this.#parts.counters.connections++
    this.#silence?.note()
    if (this.#hasBytes) this.#subscriber.next({ boundary: true, timeline: 'elapsed' })
    this.#hasBytes = false
    this.#parts.context.ready()
  }
}
