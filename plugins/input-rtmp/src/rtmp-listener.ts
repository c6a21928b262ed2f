// The listener: speaks RTMP with each connection, and offers publishers and players to the inputs and outputs that take
// them.
import { token } from '@millrace/engine/plugin'
import type { Clock, NodeContext, StreamConnection, StreamTransport, Token } from '@millrace/engine/plugin'
import type { End, EndCode, RefusalKind } from '@millrace/rtmp'
import { credentialsOf, RtmpServerConnection, SHARED_LISTENER } from '@millrace/rtmp/node'
import type {
  PlayerArrival,
  PublisherArrival,
  RtmpConnections,
  RtmpPlayerOffer,
  RtmpPublisherOffer,
  RtmpTaker,
} from '@millrace/rtmp/node'
import { ENHANCED_CAPABILITIES } from './enhanced-capabilities.js'
import { enginePort } from './engine-port.js'
import type { RtmpListenerOptions } from './listener-options.js'

export const RTMP_CONNECTIONS: Token<RtmpConnections> = token(SHARED_LISTENER)

/** Why a connection is refused. Of publishers and viewers, what the engine says. */
export const REFUSALS = [
  'not-rtmp',
  'protocol',
  'timeout',
  'no-input',
  'not-found',
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

/** Ends that say something about the client. */
const REASONS: Readonly<Partial<Record<EndCode, (typeof REFUSALS)[number]>>> = {
  foreign: 'not-rtmp',
  protocol: 'protocol',
  handshakeTimeout: 'timeout',
  setupTimeout: 'timeout',
}

const KINDS: Readonly<Record<string, RefusalKind>> = { busy: 'taken', 'not-found': 'notFound', offline: 'notFound' }

export interface RtmpListenerParts {
  readonly options: () => RtmpListenerOptions
  readonly context: NodeContext
  readonly clock: Clock
}

export class RtmpListener implements RtmpConnections, AsyncDisposable {
  readonly provides: RtmpConnections = this
  readonly #transport: Pick<StreamTransport, 'accept' | 'name'>
  readonly #parts: RtmpListenerParts
  readonly #connections = new Set<RtmpServerConnection>()
  /** Latest first. */
  #takers: readonly RtmpTaker[] = []

  constructor(transport: Pick<StreamTransport, 'accept' | 'name'>, parts: RtmpListenerParts) {
    this.#transport = transport
    this.#parts = parts
    transport.accept((connection) => this.#accept(connection))
    parts.context.details(() => ({
      connections: this.#connections.size,
      inputs: this.#count('publish'),
      outputs: this.#count('play'),
    }))
    this.#report()
  }

  offerTo(taker: RtmpTaker): Disposable {
    this.#change([taker, ...this.#takers])
    return { [Symbol.dispose]: () => this.#change(this.#takers.filter((other) => other !== taker)) }
  }

  /** Connections that publish or play outlive the node: they belong to whoever took them. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#takers = []
    return Promise.resolve()
  }

  #accept(connection: StreamConnection): void {
    const { context, clock } = this.#parts
    let refusal: string | undefined
    /** What says nothing about the client is not counted. */
    const noteRefusal = (reason: string): void => {
      if ((REFUSALS as readonly string[]).includes(reason)) refusal = reason
    }
    const session = new RtmpServerConnection(
      enginePort(
        connection,
        (run) => context.guard(run),
        () => refusal,
      ),
      {
        onPublish: (arrival) => {
          this.#offer('publish', {
            ...this.#offerOf(arrival, connection, noteRefusal),
            accept: (events) => {
              connection.identified()
              refusal = undefined
              return arrival.accept(events)
            },
          })
        },
        onPlay: (arrival) => {
          this.#offer('play', {
            ...this.#offerOf(arrival, connection, noteRefusal),
            accept: (events) => {
              connection.identified()
              refusal = undefined
              return arrival.accept(events)
            },
          })
        },
        onUnknown: (command) => context.log.debug({ client: connection.who.client, command }, 'unknown command'),
        onEnd: (end) => this.#ended(session, connection, end),
      },
      this.#sessionOptions(),
      { nowMs: () => clock.nowMs(), after: (delayMs, run) => clock.after(delayMs, context.guard(run)) },
    )
    this.#connections.add(session)
  }

  #sessionOptions(): ConstructorParameters<typeof RtmpServerConnection>[2] {
    const options = this.#parts.options()
    return {
      chunkSize: options.chunkSize,
      ackWindow: options.ackWindow,
      maxMessage: options.maxMessage,
      handshakeTimeoutMs: options.handshakeTimeout,
      setupTimeoutMs: options.setupTimeout,
      pingMs: options.ping,
      pingTimeoutMs: options.pingTimeout,
      writeTimeoutMs: options.writeTimeout,
      ...ENHANCED_CAPABILITIES,
    }
  }

  #offerOf<T extends PublisherArrival | PlayerArrival>(
    { reject, ...arrival }: T,
    { who }: StreamConnection,
    refused: (reason: string) => void,
  ): Omit<T, 'reject'> &
    Pick<RtmpPublisherOffer, 'refuse' | 'credentials' | 'listener' | 'address' | 'client' | 'agent'> {
    return {
      ...arrival,
      listener: this.#transport.name,
      address: who.address,
      client: who.client,
      agent: arrival.connect.flashVer,
      credentials: credentialsOf(arrival.query),
      refuse: (reason, description) => {
        refused(reason)
        reject(KINDS[reason] ?? 'denied', description)
      },
    }
  }

  #offer(mode: 'publish', offer: RtmpPublisherOffer): void
  #offer(mode: 'play', offer: RtmpPlayerOffer): void
  #offer(mode: RtmpTaker['mode'], offer: RtmpPublisherOffer | RtmpPlayerOffer): void {
    const takers = this.#takers.filter((taker) => taker.mode === mode)
    for (const [index, taker] of takers.entries()) {
      if (taker.take(offer as RtmpPublisherOffer & RtmpPlayerOffer, index === takers.length - 1)) return
    }
    // A stream that nobody publishes has no output.
    if (mode === 'play')
      return offer.refuse('not-found', 'no such stream: its name is wrong, or nobody publishes it now')
    if (takers.length === 0) return offer.refuse('no-input', 'nobody takes streams here')
    offer.refuse('not-found', 'no such application')
  }

  #ended(session: RtmpServerConnection, connection: StreamConnection, { code, detail }: End): void {
    this.#connections.delete(session)
    const reason = REASONS[code]
    if (reason !== undefined) connection.refuse(reason)
    this.#parts.context.log.debug({ client: connection.who.client, code, detail }, 'a connection has ended')
  }

  #change(takers: readonly RtmpTaker[]): void {
    this.#takers = takers
    this.#report()
  }

  #report(): void {
    const { context } = this.#parts
    if (this.#takers.length > 0) context.ready()
    else context.idle('no input or output takes connections from it')
  }

  #count(mode: RtmpTaker['mode']): number {
    return this.#takers.filter((taker) => taker.mode === mode).length
  }
}
