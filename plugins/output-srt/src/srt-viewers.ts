// The output that listens: viewers request its stream by name, and are checked, limited and counted like those of other
// protocols.
import type {
  AccessDecision,
  Audience,
  Auth,
  Clock,
  Delivery,
  Inlet,
  Listeners,
  NodeContext,
  Options,
  Output,
  RefusedAccess,
  Session,
  SessionView,
  StreamWindow,
  Who,
} from '@millrace/engine/plugin'
import { lacksCredentials, limitsOf, offerWhileOpen, providersOf, streamNameOf, token } from '@millrace/engine/plugin'
import type { Audiences, Token } from '@millrace/engine/plugin'
import { REJECT } from '@millrace/srt'
import { ConnectionTotals, SHARED_LISTENER } from '@millrace/srt/node'
import type { SrtArrival, SrtConnection, SrtConnections, SrtDecision } from '@millrace/srt/node'
import type { Subscription } from 'rxjs'
import { SrtBroadcast } from './srt-broadcast.js'
import { showConnections } from './srt-output-metrics.js'
import { waitMsOf, windowOf } from './srt-output-options.js'
import type { SrtOutputOptions } from './srt-output-options.js'
import { SrtReceiver } from './srt-receiver.js'

const SRT_CONNECTIONS: Token<SrtConnections> = token(SHARED_LISTENER)

const UNDECIDED: Readonly<Partial<Record<RefusedAccess, number>>> = {
  busy: REJECT.overload,
  'too-many-failures': REJECT.overload,
  failed: REJECT.internalServerError,
}

export interface SrtViewersParts {
  readonly options$: Options<SrtOutputOptions>
  readonly context: NodeContext
  readonly auth: Auth
  readonly audiences: Audiences
  readonly clock: Clock
  readonly delivery: Delivery
  readonly listeners: Listeners
}

export class SrtViewers implements Output {
  readonly #parts: SrtViewersParts
  readonly #stream: string
  readonly #audience: Audience
  readonly #window: StreamWindow
  readonly #broadcast: SrtBroadcast
  readonly #sessions = new Map<SrtReceiver, Session>()
  readonly #totals = new ConnectionTotals()
  readonly #limits: Subscription
  readonly #offer: Disposable
  #skips = 0
  #isOver = false

  constructor(parts: SrtViewersParts) {
    this.#parts = parts
    const { options$, context, audiences, clock, delivery, listeners } = parts
    const { listener = '', stream } = options$.value
    this.#stream = stream ?? streamNameOf(context.id)
    this.#audience = audiences.open({ limits: limitsOf(options$.value.clients) })
    this.#window = delivery.window(windowOf(options$.value))
    this.#broadcast = new SrtBroadcast({
      ...{ clock, window: this.#window },
      onSent: (receiver, bytes) => this.#sessions.get(receiver)?.sent(bytes),
      onSkip: (receiver) => this.#noteSkip(receiver),
    })
    showConnections(context, this.#totals, this.#broadcast, this.#window)
    context.readMetric('srt_calls_total', () => 0)
    context.readMetric('srt_call_failures_total', () => 0)
    context.readMetric('srt_skips_total', () => this.#skips)
    this.#limits = options$.subscribe((options) => {
      this.#audience.update({ limits: limitsOf(options.clients) })
      this.#window.setBounds(windowOf(options))
    })
    this.#offer = offerWhileOpen(listeners.of(SRT_CONNECTIONS, listener), context, (open) => this.#offerTo(open))
  }

  accept(inlets: readonly Inlet[]): Subscription {
    return this.#broadcast.accept(inlets)
  }

  /** Viewers get what has come, as far as they acknowledge it before their latency and 2 s are over. */
  async drained(): Promise<void> {
    this.#offer[Symbol.dispose]()
    await this.#broadcast.sent()
    await Promise.all(Array.from(this.#sessions.keys(), ({ connection }) => connection.close()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    this.#limits.unsubscribe()
    this.#offer[Symbol.dispose]()
    this.#broadcast[Symbol.dispose]()
    const ended = Array.from(this.#sessions, ([{ connection }, session]) => {
      session.end('closing')
      connection.end()
      return connection.closed
    })
    await Promise.all(ended)
    await this.#audience[Symbol.asyncDispose]()
  }

  #offerTo(open: SrtConnections): Disposable {
    const take = (arrival: SrtArrival): Promise<SrtDecision> | undefined => {
      return arrival.resource === this.#stream ? this.#decide(arrival) : undefined
    }
    return open.offerTo({ mode: 'request', take: this.#parts.context.guard(take) as typeof take })
  }

  async #decide(arrival: SrtArrival): Promise<SrtDecision> {
    const { options$, auth, context } = this.#parts
    const { listener, address, client, agent, credentials, resource } = arrival
    const who: Who = { protocol: 'srt', listener, client, address, user: credentials.user, agent, place: resource }
    const access = await auth.check(providersOf(options$.value.auth), {
      ...{ action: 'read', protocol: 'srt', stream: this.#stream, address, agent },
      ...credentials,
    })
    if (!access.allowed) return this.#refuse(who, access)
    if (this.#isOver) {
      access.giveBack?.()
      return { reject: REJECT.notFound }
    }
    const viewer: Who = { ...who, user: access.user ?? who.user }
    const refusal = this.#audience.refusalOf(viewer)
    if (refusal !== undefined) {
      access.giveBack?.()
      this.#audience.refuse(viewer, refusal.refused, refusal.status)
      return { reject: REJECT.overload }
    }
    const { latency } = options$.value
    const passphrase = access.secret ?? options$.value.passphrase
    return {
      ...(latency === undefined ? {} : { latencyMs: latency }),
      ...(passphrase === undefined ? {} : { passphrase }),
      connection: { source: this.#broadcast, receivesData: false },
      onRefused: () => access.giveBack?.(),
      onConnection: context.guard((connection) => {
        if (this.#begin(connection, viewer, arrival.label)) return
        access.giveBack?.()
        connection.end()
      }),
    }
  }

  #refuse(who: Who, access: Extract<AccessDecision, { allowed: false }>): SrtDecision {
    this.#audience.refuse(who, access.reason, access.status)
    return { reject: codeOf(access.reason) }
  }

  /** Returns false for one that cannot watch after all. */
  #begin(connection: SrtConnection, who: Who, label: string | undefined): boolean {
    // The node was replaced while the caller was being let in: it calls again.
    if (this.#isOver) return false
    const receiver = new SrtReceiver(connection)
    const session = this.#audience.enter(who, {
      describe: () => ({ ...viewOf(receiver), ...(label === undefined ? {} : { label }) }),
      onKick: () => connection.end(),
    })
    if ('refused' in session) return false
    this.#sessions.set(receiver, session)
    this.#broadcast.add(receiver)
    this.#totals.add(connection)
    const waiting = this.#limitWait(receiver, session)
    connection.onClose = this.#parts.context.guard((reason) => {
      waiting?.[Symbol.dispose]()
      this.#sessions.delete(receiver)
      this.#broadcast.delete(receiver)
      session.end(reason)
    })
    return true
  }

  /** For the first key frame. */
  #limitWait(receiver: SrtReceiver, session: Session): Disposable | undefined {
    const { options$, clock } = this.#parts
    const waitMs = waitMsOf(options$.value)
    if (waitMs === 0) return undefined
    return clock.after(waitMs, () => {
      if (receiver.hasBegun) return
      session.end('offline')
      receiver.connection.end()
    })
  }

  #noteSkip(receiver: SrtReceiver): void {
    this.#skips++
    if (this.#parts.options$.value.slow !== 'disconnect') return
    this.#sessions.get(receiver)?.end('slow')
    receiver.connection.end()
  }
}

function viewOf({ connection, isReading, skips, skippedBytes }: SrtReceiver): SessionView {
  const { rttUs, send } = connection.stats()
  return {
    state: isReading ? 'reading' : skips > 0 ? 'seeking' : 'waiting',
    ...{ behindBytes: send.bufferedBytes, skips, skippedBytes },
    connection: {
      rttMs: Math.round(rttUs / 1000),
      latencyMs: Math.round(send.latencyUs / 1000),
      ...{ lost: send.lost, retransmitted: send.retransmitted, dropped: send.dropped },
      bufferMs: Math.round(send.bufferedUs / 1000),
    },
  }
}

/** As publishers are told. */
function codeOf(reason: RefusedAccess): number {
  if (lacksCredentials(reason)) return REJECT.unauthorized
  return UNDECIDED[reason] ?? REJECT.forbidden
}
