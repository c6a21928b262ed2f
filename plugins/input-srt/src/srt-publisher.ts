// A caller that publishes, as the engine sees it: it decides whether to take the stream.
import { ReceivedPackets } from '@millrace/engine/plugin'
import type {
  Clock,
  NodeContext,
  Publisher,
  PublisherCredentials,
  PublisherGrant,
  PublisherRefusal,
  Received,
  Source,
  Who,
} from '@millrace/engine/plugin'
import type { EndReason, SrtArrival, SrtConnection, SrtDecision } from '@millrace/srt/node'
import { Observable } from 'rxjs'
import { faultOf } from './end-reasons.js'
import { codeOf } from './refusals.js'
import { srtError } from './srt-errors.js'

/** Kept until the engine subscribes. */
const MOST_WAITING_BYTES = 1024 * 1024
/** How often silence is looked for. */
const IDLE_CHECK_MS = 500

export interface SrtPublisherParts {
  readonly context: NodeContext
  readonly clock: Pick<Clock, 'nowMs' | 'every'>
  /** How long it may send no data; undefined for no limit. */
  readonly idleMs: () => number | undefined
  /** No other input is asked if this one does not take the key. */
  readonly isLast: boolean
  onConnection(connection: SrtConnection): void
}

export class SrtPublisher implements Publisher {
  readonly key: string
  readonly who: Who
  readonly credentials: PublisherCredentials
  readonly origin: string
  /** Resolves when the engine has decided. */
  readonly decision: Promise<SrtDecision>
  /** While it is offered: the engine has said, at once, that the input does not take this key. */
  isDeclined = false
  #isOffered = true
  /** The connection, once open, is closed at once. */
  #isOver = false
  #connection: SrtConnection | undefined
  #dataMs = 0
  #watch: Disposable | undefined
  readonly #parts: SrtPublisherParts
  readonly #abort = new AbortController()
  readonly #packets = new ReceivedPackets(MOST_WAITING_BYTES)
  readonly #decide: (decision: SrtDecision) => void

  constructor(arrival: SrtArrival, key: string, parts: SrtPublisherParts) {
    const { listener, address, client, agent, credentials } = arrival
    this.#parts = parts
    this.key = key
    this.credentials = credentials
    // From one port, only a sender that has started again asks for the same a second time.
    this.origin = `${client} ${arrival.request.streamId ?? ''}`
    this.who = { protocol: 'srt', listener, client, address, user: credentials.user, agent, place: key }
    let decide: (decision: SrtDecision) => void = () => undefined
    this.decision = new Promise((resolve) => (decide = resolve))
    this.#decide = decide
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The input has been offered it: from now on a refusal refuses the caller. */
  offered(): void {
    this.#isOffered = false
  }

  accept({ secret, giveBack }: PublisherGrant): Source<Received> {
    const { context } = this.#parts
    this.#decide({
      ...(secret === undefined ? {} : { passphrase: secret }),
      onConnection: context.guard((connection) => this.#begin(connection)),
      onRefused: context.guard(() => {
        giveBack?.()
        this.#end()
      }),
    })
    return {
      chunks: new Observable((subscriber) => this.#packets.subscribe(subscriber)),
      [Symbol.asyncDispose]: () => this.#close(),
    }
  }

  reject(code: PublisherRefusal, _why: string): boolean {
    this.isDeclined = this.#isOffered && code === 'bad-key'
    this.#decide({ reject: codeOf(code) })
    if (!this.isDeclined) void this.#close()
    return this.isDeclined && !this.#parts.isLast
  }

  #begin(connection: SrtConnection): void {
    const { clock, context } = this.#parts
    this.#connection = connection
    this.#dataMs = clock.nowMs()
    this.#watch = clock.every(
      IDLE_CHECK_MS,
      context.guard(() => this.#checkSilence(connection)),
    )
    connection.onData = context.guard((payloads) => {
      this.#dataMs = clock.nowMs()
      for (const payload of payloads) this.#packets.push(payload)
    })
    connection.onClose = context.guard((reason) => this.#closed(reason))
    this.#parts.onConnection(connection)
    if (this.#isOver) connection.end()
  }

  #checkSilence(connection: SrtConnection): void {
    const { clock, context, idleMs } = this.#parts
    const limitMs = idleMs()
    if (limitMs === undefined || clock.nowMs() - this.#dataMs < limitMs) return
    context.log.warn({ client: this.who.client, key: this.key }, `sends no data for ${limitMs / 1000} s: disconnected`)
    connection.end()
  }

  #closed(reason: EndReason): void {
    const fault = faultOf(reason)
    const { client } = this.who
    if (fault !== undefined) this.#parts.context.log.warn({ client, key: this.key }, `the publisher has gone: ${fault}`)
    if (fault === undefined) return this.#end()
    this.#end(srtError(reason === 'idle' ? 'SRT_SILENT' : 'SRT_BROKEN', fault))
  }

  #end(fault?: Error): void {
    this.#watch?.[Symbol.dispose]()
    this.#packets.end(fault)
    this.#abort.abort(fault?.message ?? 'the connection is closed')
  }

  async #close(): Promise<void> {
    this.#isOver = true
    this.#connection?.end()
    await this.#connection?.closed
  }
}
