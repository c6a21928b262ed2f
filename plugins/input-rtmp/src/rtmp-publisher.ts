// A client that publishes, as the engine sees it: it decides whether to take the stream.
import { ReceivedPackets } from '@millrace/engine/plugin'
import type {
  Clock,
  NodeContext,
  Publisher,
  PublisherCredentials,
  PublisherRefusal,
  Received,
  Source,
  Who,
} from '@millrace/engine/plugin'
import { MESSAGE } from '@millrace/rtmp'
import type { RtmpPublisherOffer, PublisherSession } from '@millrace/rtmp/node'
import { Observable } from 'rxjs'
import { IdleWatch } from './idle-watch.js'
import { rtmpError } from './rtmp-errors.js'
import type { RtmpStreams } from './rtmp-streams.js'
import { TsRemuxer } from './ts-remuxer.js'

/** Kept until the engine subscribes: more than what can have come before the decision. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024

export interface RtmpPublisherParts {
  readonly context: NodeContext
  readonly clock: Clock
  readonly syncMs: () => number
  readonly idleMs: () => number
  readonly streams: RtmpStreams
  /** No other input is asked if this one does not take the key. */
  readonly isLast: boolean
}

/** What a client is told; the engine's reasons are for its log. */
const TOLD: Readonly<Record<PublisherRefusal, string>> = {
  unauthorized: 'the credentials are missing or wrong',
  forbidden: 'these credentials may not publish this stream',
  busy: 'somebody publishes under this key already',
  overloaded: 'too many publishers come at the same time: try again later',
  failed: 'it cannot be decided now: try again later',
  full: 'there are as many streams as there may be',
  'bad-key': 'the stream key is missing, or is not allowed',
  closing: 'the server closes the stream',
  'not-media': 'the stream has no audio or video that can be carried',
  offline: 'nothing takes streams here now',
  replaced: 'a newer publisher of the same key has taken over',
}

export class RtmpPublisher implements Publisher {
  readonly key: string
  readonly who: Who
  readonly credentials: PublisherCredentials
  /** While it is offered: the engine has said, at once, that the input does not take this key. */
  isDeclined = false
  #isOffered = true
  #session: PublisherSession | undefined
  #idle: IdleWatch | undefined
  readonly #offer: RtmpPublisherOffer
  readonly #parts: RtmpPublisherParts
  readonly #abort = new AbortController()
  readonly #packets = new ReceivedPackets(MOST_WAITING_BYTES)

  constructor(offer: RtmpPublisherOffer, key: string, parts: RtmpPublisherParts) {
    const { listener, address, client, agent, credentials } = offer
    this.#offer = offer
    this.#parts = parts
    this.key = key
    this.credentials = credentials
    this.who = { protocol: 'rtmp', listener, client, address, user: credentials.user, agent, place: key }
    offer.onWithdrawn(parts.context.guard(() => this.#end('connection')))
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The input has been offered it: from now on a refusal refuses the client. */
  offered(): void {
    this.#isOffered = false
  }

  accept(): Source<Received> {
    const remuxer = this.#makeRemuxer()
    const { client, agent, connection } = this.#offer
    const forget = this.#parts.streams.add({ key: this.key, client, agent, remuxer, stats: () => connection.stats() })
    const { context, clock, idleMs } = this.#parts
    const idle = new IdleWatch(clock, idleMs, (limitMs) => this.#endIdle(remuxer, limitMs))
    this.#idle = idle
    // Until the subscription no more is read than one buffer.
    const hold = idle.hold(connection.hold())
    // It outlives the listener.
    connection.moveTo({ nowMs: () => clock.nowMs(), after: (delayMs, run) => clock.after(delayMs, context.guard(run)) })
    this.#session = this.#offer.accept({
      media: context.guard((type, timestampMs, body) => {
        if (type !== MESSAGE.data) idle.noteMedia()
        remuxer.push(type, timestampMs, body)
      }),
      ended: context.guard((reason) => {
        remuxer.end()
        this.#end(reason)
      }),
    })
    // It has gone meanwhile.
    if (this.#session === undefined) this.#end('connection')
    return {
      pause: () => idle.hold(connection.hold()),
      chunks: new Observable((subscriber) => {
        hold[Symbol.dispose]()
        return this.#packets.subscribe(subscriber)
      }),
      [Symbol.asyncDispose]: () => {
        hold[Symbol.dispose]()
        idle[Symbol.dispose]()
        forget()
        this.#session?.end(TOLD.closing)
        return Promise.resolve()
      },
    }
  }

  reject(code: PublisherRefusal, _why: string): boolean {
    this.isDeclined = this.#isOffered && code === 'bad-key'
    if (this.isDeclined && !this.#parts.isLast) return true
    this.#offer.refuse(code, TOLD[code])
    return false
  }

  #makeRemuxer(): TsRemuxer {
    const { context, clock, syncMs } = this.#parts
    return new TsRemuxer({
      syncMs: syncMs(),
      nowMs: () => clock.nowMs(),
      after: (delayMs, run) => clock.after(delayMs, context.guard(run)),
      onPackets: (packets) => this.#packets.push(packets),
      onUnsupported: (kind, codec, isAll) => {
        context.log.warn({ key: this.key, kind, codec }, 'this codec is not carried: the track is left out')
        if (isAll) this.#endUnsupported(codec)
      },
    })
  }

  /** The encoder would be told nothing for as long as the engine waits for a stream. */
  #endUnsupported(codec: string): void {
    const text = `no track of it is carried: ${codec} is not supported`
    this.#parts.context.log.warn({ client: this.who.client, key: this.key }, `the publisher is disconnected: ${text}`)
    this.#session?.end(text)
    this.#end('unsupported', text)
  }

  #endIdle(remuxer: TsRemuxer, limitMs: number): void {
    const text = `it has sent no media for ${limitMs / 1000} s`
    this.#session?.end(text)
    remuxer.end()
    this.#end('idle', text)
  }

  #end(
    reason: 'unpublished' | 'connection' | 'idle' | 'unsupported',
    text = 'the connection of the publisher has ended',
  ): void {
    this.#idle?.[Symbol.dispose]()
    const error = rtmpError(reason === 'idle' ? 'RTMP_IDLE' : 'RTMP_BROKEN', text)
    this.#packets.end(reason === 'unpublished' ? undefined : error)
    this.#abort.abort('the publisher has left')
  }
}
