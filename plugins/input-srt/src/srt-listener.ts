// The listener: understands what a caller asks for, and offers it to the inputs and outputs that take such callers.
import type { Clock, DatagramTransport, NodeContext, Options, Token } from '@millrace/engine/plugin'
import { token } from '@millrace/engine/plugin'
import { isRogue, parseStreamId, passphraseProblem, REJECT, secretsOfStreamId } from '@millrace/srt'
import type { PeerAddress } from '@millrace/srt'
import { arrivalOf, SHARED_LISTENER, SrtSocket } from '@millrace/srt/node'
import type {
  ListenOptions,
  SrtArrival,
  SrtConnection,
  SrtConnections,
  SrtDecision,
  SrtRequest,
  SrtTaker,
} from '@millrace/srt/node'
import type { Subscription } from 'rxjs'
import type { SrtListenerOptions } from './listener-options.js'
import { CallerLabels } from './caller-labels.js'
import { CallerLimits } from './caller-limits.js'
import { isDualStack } from './dual-stack.js'
import { ListedCallers } from './listed-callers.js'
import { reasonOf } from './refusals.js'
import { clientOf, RefusedCallers } from './refused-callers.js'
import { TransportPort } from './transport-port.js'
import { WaitingRequests } from './waiting-requests.js'
import { hostOf, wildcardWarning } from './wildcard-address.js'

const VIEWER_REFUSALS: Readonly<Record<number, string>> = {
  [REJECT.unauthorized]: 'its credentials are missing or wrong',
  [REJECT.forbidden]: 'it may not watch this stream',
  [REJECT.overload]: 'there are too many viewers, or too many that are being checked',
  [REJECT.internalServerError]: 'its auth provider fails',
  [REJECT.down]: 'the listener closes',
}
const EXPECTED = '#!::r=NAME,m=publish or m=request, publish:NAME, read:NAME, or a NAME'

export const SRT_CONNECTIONS: Token<SrtConnections> = token(SHARED_LISTENER)

export interface SrtListenerParts {
  readonly options$: Options<SrtListenerOptions>
  readonly context: NodeContext
  readonly clock: Clock
}

interface Asked {
  readonly mode: SrtTaker['mode']
  readonly arrival: SrtArrival
}

type Accepted = Extract<SrtDecision, { readonly reject?: never }>

export class SrtListener implements SrtConnections, AsyncDisposable {
  readonly provides: SrtConnections = this
  readonly #parts: SrtListenerParts
  readonly #transport: DatagramTransport
  readonly #socket: SrtSocket
  readonly #changes: Subscription
  /** Latest first. */
  #takers: readonly SrtTaker[] = []
  #keyLength: number | undefined
  #isListening = false
  #labels = new CallerLabels({})
  readonly #limits = new CallerLimits()
  readonly #callers: ListedCallers
  readonly #waiting: WaitingRequests
  readonly #refused: RefusedCallers

  constructor(transport: DatagramTransport, parts: SrtListenerParts) {
    const { options$, context, clock } = parts
    this.#parts = parts
    this.#transport = transport
    this.#callers = new ListedCallers(clock)
    this.#waiting = new WaitingRequests(clock)
    this.#refused = new RefusedCallers(clock, context.log)
    this.#socket = SrtSocket.over(new TransportPort(transport), {
      nowMs: () => clock.nowMs(),
      after: (delayMs, run) => clock.after(delayMs, run),
      guard: (run) => context.guard(run),
    })
    this.#changes = options$.subscribe(({ pbkeylen, labels }) => {
      this.#labels = new CallerLabels(labels)
      this.#listen(pbkeylen)
    })
    this.#callers.show(context, () => this.#socket.stats())
    const dualStack = isDualStack(hostOf(transport.address))
    const warning = (): string | undefined => wildcardWarning(hostOf(transport.address))
    context.details(() => ({
      publishers: this.#callers.count('publish'),
      viewers: this.#callers.count('request'),
      deciding: this.#callers.deciding,
      waiting: this.#waiting.size,
      inputs: this.#count('publish'),
      outputs: this.#count('request'),
      receiveBufferBytes: transport.receiveBufferBytes,
      ...(dualStack === undefined ? {} : { dualStack }),
      warning: warning() ?? null,
      handshakes: { ...this.#socket.stats() },
      connections: this.#callers.details(),
    }))
    const told = warning()
    if (told !== undefined) context.log.warn({ address: transport.address }, told)
    this.#report()
  }

  /** How many there are, those that wait for a decision included. */
  get callers(): number {
    return this.#limits.size
  }

  get maxLatencyMs(): number {
    return this.#parts.options$.value.maxLatency
  }

  offerTo(taker: SrtTaker): Disposable {
    this.#change([taker, ...this.#takers])
    if (taker.mode === 'request') this.#waiting.askAgain()
    return {
      [Symbol.dispose]: () => this.#change(this.#takers.filter((other) => other !== taker)),
    }
  }

  /** Ends all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#changes.unsubscribe()
    this.#takers = []
    this.#waiting.rejectAll()
    await this.#socket.close(REJECT.down)
  }

  /** What an accepted caller has, unless the node that takes it says otherwise, comes with each decision. */
  #listen(keyLength: ListenOptions['keyLength']): void {
    if (this.#isListening && keyLength === this.#keyLength) return
    this.#isListening = true
    this.#keyLength = keyLength
    const { context } = this.#parts
    this.#socket.listen({
      ...(keyLength === undefined ? {} : { keyLength }),
      onRequest: (request) => this.#decide(request),
      // Whoever takes a caller has a function of its own.
      onConnection: (connection) => connection.end(),
      onRefused: context.guard((peer, code) => this.#noteRefused(peer, code)),
    })
  }

  async #decide(request: SrtRequest): Promise<SrtDecision> {
    const asked = this.#read(request)
    if (typeof asked === 'number') return { reject: asked }
    const leave = this.#limits.enter(asked.arrival.address, this.#parts.options$.value.limits)
    if (leave === undefined) return this.#refuse(asked, REJECT.overload, 'more callers than `limits` of the listener')
    this.#callers.deciding++
    try {
      const decision = await this.#offer(asked)
      if (decision.reject === undefined) return this.#accept(decision, asked, leave)
      leave()
      return decision
    } catch (error) {
      leave()
      throw error
    } finally {
      this.#callers.deciding--
    }
  }

  #accept(decision: Accepted, { arrival, mode }: Asked, leave: () => void): SrtDecision {
    const { latency, maxLatency, passphrase, idle, mtu, reorderTolerance } = this.#parts.options$.value
    const { connection: own, onConnection, onRefused, ...rest } = decision
    return {
      latencyMs: latency,
      ...(passphrase === undefined ? {} : { passphrase }),
      ...rest,
      connection: {
        maxLatencyUs: maxLatency * 1000,
        idleUs: idle * 1000,
        mtu,
        reorderTolerance,
        receivesData: mode === 'publish',
        ...own,
      },
      onConnection: (connection: SrtConnection) => {
        void connection.closed.then(leave)
        this.#callers.add(connection, arrival, mode)
        if (onConnection !== undefined) onConnection(connection)
        else connection.end()
      },
      onRefused: (code) => {
        leave()
        this.#refuse({ arrival, mode }, code, notConnected(code, arrival, rest.passphrase))
        onRefused?.(code)
      },
    }
  }

  /** What the caller asks for, or the code with which it is refused. */
  #read(request: SrtRequest): Asked | number {
    const { default: fallback } = this.#parts.options$.value
    const streamId = parseStreamId(request.streamId)
    if (isRogue(streamId)) {
      return this.#explain(request, streamId.code, streamId.reason)
    }
    const mode = streamId.mode ?? fallback?.mode ?? 'request'
    const resource = streamId.resource ?? fallback?.stream
    if (resource === undefined) {
      return this.#explain(request, REJECT.badRequest, 'it names no stream, and the listener has no `default.stream`')
    }
    const arrival = arrivalOf(request, streamId, { resource, listener: this.#transport.name })
    return { mode, arrival: { ...arrival, label: this.#labels.of(arrival.address, resource) } }
  }

  /** What arrived is not always what somebody has typed. It may hold credentials: only its beginning is shown. */
  #explain({ peer, streamId = '' }: SrtRequest, code: number, reason: string): number {
    const why = `the StreamID is not valid: ${reason}; expected ${EXPECTED}`
    this.#refused.note({ code, why, client: clientOf(peer), asked: /^[^=,?]{0,40}/.exec(streamId)?.[0] ?? '' })
    return code
  }

  /** Tells the log. What an input decides is told by the engine. */
  #refuse({ mode, arrival }: Asked, code: number, why: string): { reject: number } {
    const text = `${mode === 'publish' ? 'publish' : 'read'}:${arrival.resource}`
    const asked = secretsOfStreamId(text).reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
    this.#refused.note({ code, why, client: arrival.client, asked })
    return { reject: code }
  }

  async #offer(asked: Asked): Promise<SrtDecision> {
    const isPublish = asked.mode === 'publish'
    if (this.#takers.length === 0) return this.#refuse(asked, REJECT.down, 'no input or output takes callers')
    if (isPublish && this.#count('publish') === 0) return this.#refuse(asked, REJECT.badMode, 'no input takes streams')
    const decision = this.#ask(asked)
    // Outputs come and go with the streams that they have: a viewer may wait for one.
    if (decision === undefined && isPublish)
      return this.#refuse(asked, REJECT.notFound, unknownName('no input takes this name', asked))
    const decided = await (decision ?? this.#wait(asked))
    if (decided.reject === undefined || isPublish) return decided
    const isUnknown = decision === undefined && decided.reject === REJECT.notFound
    const why = isUnknown ? unknownName('no stream has this name now', asked) : VIEWER_REFUSALS[decided.reject]
    return this.#refuse(asked, decided.reject, why ?? 'the output does not admit it')
  }

  #wait(asked: Asked): SrtDecision | Promise<SrtDecision> {
    return this.#waiting.wait(() => this.#ask(asked), this.#parts.options$.value.offline.waitFor)
  }

  /** Undefined if nobody takes it. */
  #ask({ mode, arrival }: Asked): SrtDecision | Promise<SrtDecision> | undefined {
    const takers = this.#takers.filter((taker) => taker.mode === mode)
    for (const [index, taker] of takers.entries()) {
      const decision = taker.take(arrival, index === takers.length - 1)
      if (decision !== undefined) return decision
    }
    return undefined
  }

  #noteRefused(peer: PeerAddress, code: number): void {
    const reason = reasonOf(code)
    this.#callers.rejected(reason)
    this.#transport.refuse(reason)
    this.#refused.noteUnasked(peer, code)
  }

  #change(takers: readonly SrtTaker[]): void {
    this.#takers = takers
    this.#report()
  }

  #report(): void {
    const { context } = this.#parts
    if (this.#takers.length > 0) context.ready()
    else context.idle('no input or output takes callers from it')
  }

  #count(mode: SrtTaker['mode']): number {
    return this.#takers.filter((taker) => taker.mode === mode).length
  }
}

/** A caller that was admitted is refused for its passphrase, or because the listener closes. */
function notConnected(code: number, { request }: SrtArrival, passphrase: string | undefined): string {
  if (code === REJECT.badSecret) return 'its passphrase is wrong'
  if (passphrase !== undefined && passphraseProblem(passphrase) !== undefined)
    return 'the passphrase that its auth provider has for the stream is not 10 to 79 bytes long'
  if (code !== REJECT.unsecure) return 'it could not be connected'
  return request.hasPassphrase ? 'it has a passphrase, and the stream has none' : 'it has no passphrase'
}

/**
 * The part of a URL behind an unquoted & is lost on the way, and the rest becomes part of the name; so do the user and the
 * password that other servers take behind it.
 */
function unknownName(text: string, { arrival }: Asked): string {
  return /[?:]/.test(arrival.resource) ? `${text}; expected ${EXPECTED}` : text
}
