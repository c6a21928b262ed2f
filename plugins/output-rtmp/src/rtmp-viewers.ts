// The output that serves: players play its stream from a listener, and are checked, limited and counted like viewers of
// other protocols.
import type {
  Audience,
  Audiences,
  Auth,
  Clock,
  Inlet,
  Listeners,
  NodeContext,
  Options,
  Output,
  RefusedAccess,
  Session,
  SessionView,
  Token,
  Who,
} from '@millrace/engine/plugin'
import { lacksCredentials, limitsOf, offerWhileOpen, providersOf, streamNameOf, token } from '@millrace/engine/plugin'
import { keyInApp } from '@millrace/rtmp'
import { SHARED_LISTENER } from '@millrace/rtmp/node'
import type { RtmpConnections, RtmpPlayerOffer } from '@millrace/rtmp/node'
import type { Subscription } from 'rxjs'
import { FlvStream, LEFT_OUT } from './flv-stream.js'
import { readInlet } from './read-inlet.js'
import { RtmpPlayer } from './rtmp-player.js'
import { SendingConnections } from './rtmp-output-metrics.js'
import type { RtmpOutputOptions } from './rtmp-output-options.js'

const RTMP_CONNECTIONS: Token<RtmpConnections> = token(SHARED_LISTENER)
/** Players get what waits for so long after the stream has ended. */
const DRAIN_MS = 5000
const DRAIN_STEP_MS = 50

const UNAUTHORIZED = ['unauthorized', 'the credentials are missing or wrong'] as const
const OVERLOADED = ['overloaded', 'too many are being checked, or have failed: try again later'] as const
/** What the listener counts, and what the player is told. */
const REFUSALS: Readonly<Partial<Record<RefusedAccess, readonly [reason: string, text: string]>>> = {
  busy: OVERLOADED,
  failed: ['failed', 'it cannot be decided now: try again later'],
  'too-many-failures': OVERLOADED,
}

export interface RtmpViewersParts {
  readonly options$: Options<RtmpOutputOptions>
  readonly context: NodeContext
  readonly auth: Auth
  readonly audiences: Audiences
  readonly clock: Clock
  readonly listeners: Listeners
}

export class RtmpViewers implements Output {
  readonly #parts: RtmpViewersParts
  readonly #name: string
  readonly #audience: Audience
  readonly #stream: FlvStream
  #inlet: Inlet | undefined
  readonly #players = new Map<RtmpPlayer, Session>()
  readonly #connections = new SendingConnections()
  readonly #limits: Subscription
  readonly #offer: Disposable
  #isOver = false

  constructor(parts: RtmpViewersParts) {
    this.#parts = parts
    const { options$, context, audiences, clock, listeners } = parts
    const { listener = '', app = '', stream } = options$.value
    this.#name = stream ?? streamNameOf(context.id)
    this.#audience = audiences.open({ limits: limitsOf(options$.value.clients) })
    this.#stream = new FlvStream({
      nowMs: () => clock.nowMs(),
      lostAtMs: () => this.#inlet?.lostAtMs ?? -Infinity,
      leftOut: (kind, codec, reason) => context.log.warn({ kind, codec }, LEFT_OUT[reason]),
    })
    this.#connections.show(context, this.#stream, () => ({ path: `${app}/${this.#name}` }))
    context.readMetric('rtmp_calls_total', () => 0)
    context.readMetric('rtmp_call_failures_total', () => 0)
    this.#limits = options$.subscribe(({ clients }) => this.#audience.update({ limits: limitsOf(clients) }))
    this.#offer = offerWhileOpen(listeners.of(RTMP_CONNECTIONS, listener), context, (open) => this.#offerTo(open))
  }

  accept(inlets: readonly Inlet[]): Subscription {
    this.#inlet = inlets[0]
    return readInlet(inlets, this.#stream, this.#parts.clock, () => undefined)
  }

  /** Players get what has come, and are told that the stream has ended. */
  async drained(): Promise<void> {
    this.#isOver = true
    this.#offer[Symbol.dispose]()
    const players = [...this.#players.keys()]
    for (const player of players) player.end('The stream has ended.')
    for (let waitedMs = 0; waitedMs < DRAIN_MS; waitedMs += DRAIN_STEP_MS) {
      if (players.every((player) => player.isOver || player.stats().queuedBytes === 0)) break
      await new Promise<void>((resolve) => this.#parts.clock.after(DRAIN_STEP_MS, resolve))
    }
    this.#close('ended')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    this.#limits.unsubscribe()
    this.#offer[Symbol.dispose]()
    this.#close('closing')
    await this.#audience[Symbol.asyncDispose]()
  }

  #close(reason: string): void {
    for (const [player, session] of this.#players) {
      session.end(reason)
      player.close()
    }
    this.#players.clear()
  }

  #offerTo(open: RtmpConnections): Disposable {
    const { context, options$ } = this.#parts
    const { app = '' } = options$.value
    const decide = context.guard((offer: RtmpPlayerOffer) => this.#decide(offer))
    return open.offerTo({
      mode: 'play',
      take: (offer) => {
        if (keyInApp(offer.path, app) !== this.#name) return false
        void decide(offer)
        return true
      },
    })
  }

  async #decide(offer: RtmpPlayerOffer): Promise<void> {
    const { options$, auth } = this.#parts
    const { listener, address, client, agent, credentials } = offer
    const who: Who = { protocol: 'rtmp', listener, client, address, user: credentials.user, agent, place: this.#name }
    const { user, password, query } = credentials
    const access = await auth.check(providersOf(options$.value.auth), {
      ...{ action: 'read' as const, protocol: 'rtmp', stream: this.#name, address, agent, user, password, query },
    })
    if (!access.allowed) {
      this.#audience.refuse(who, access.reason, access.status)
      const known = lacksCredentials(access.reason) ? UNAUTHORIZED : REFUSALS[access.reason]
      const [reason, text] = known ?? ['forbidden', 'these credentials may not watch this stream']
      return offer.refuse(reason, text)
    }
    if (this.#isOver) return offer.refuse('offline', 'the stream has ended')
    this.#begin(offer, { ...who, user: access.user ?? who.user })
  }

  #begin(offer: RtmpPlayerOffer, who: Who): void {
    const { context } = this.#parts
    const player = new RtmpPlayer(offer.connection, this.#stream)
    const session = this.#audience.enter(who, {
      describe: () => this.#viewOf(player),
      onKick: () => {
        this.#players.delete(player)
        player.close()
      },
    })
    if ('refused' in session) return offer.refuse('full', 'too many viewers')
    const forget = this.#connections.add({ peer: who.client, stats: () => player.stats() })
    const ended = context.guard(() => {
      forget()
      player.left()
      this.#players.delete(player)
      session.end('closed')
    })
    const { clock } = this.#parts
    // It outlives the listener.
    offer.connection.moveTo({ nowMs: () => clock.nowMs(), after: (ms, run) => clock.after(ms, context.guard(run)) })
    const accepted = offer.accept({ ended })
    if (accepted === undefined) return ended()
    this.#players.set(player, session)
    player.begin(accepted, { sent: (bytes) => session.sent(bytes), over: forget })
  }

  #viewOf(player: RtmpPlayer): SessionView {
    const { queuedBytes, rttMs } = player.stats()
    return {
      state: player.isOver ? 'ending' : this.#stream.isWaiting(player) ? 'waiting' : 'reading',
      behindBytes: queuedBytes,
      connection: {
        ...(rttMs === undefined ? {} : { rttMs: Math.round(rttMs) }),
        dropped: player.dropped,
      },
    }
  }
}
