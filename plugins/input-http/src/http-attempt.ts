// One attempt to open a stream: asks for it, follows redirects, answers a challenge, decides by the head whether the body is
// read, passes the body on, and reports once why it ended. Everything it holds is bounded: a head by 16 KiB and
// `firstByteTimeout`, redirects by their number, a body that is not a transport stream by 64 KiB.
import { randomBytes } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import { isEngineError } from '@millrace/engine/plugin'
import type { Clock, NodeContext } from '@millrace/engine/plugin'
import { admitResponse } from './admit-response.js'
import type { DoubtfulBody } from './admit-response.js'
import { BodyIntake } from './body-intake.js'
import { chooseDigest, answerDigest, isStale } from './digest-auth.js'
import { parseChallenges } from './challenges.js'
import { CookieJar } from './cookie-jar.js'
import { RefusedAddress } from './dial.js'
import { httpError } from './http-errors.js'
import type { HttpErrorCode } from './http-errors.js'
import { HttpExchange, refusalText } from './http-exchange.js'
import { showUrl } from './http-url.js'
import { DEVIATIONS, Leniency } from './leniency.js'
import { maskSecrets } from './mask-secrets.js'
import { initialTarget, isRedirect, followRedirect } from './redirect.js'
import type { RedirectPolicy, RequestTarget } from './redirect.js'
import { renderRequest } from './render-request.js'
import { valuesOf } from './response-head.js'
import type { ResponseHead } from './response-head.js'
import type { Upstream } from './upstream.js'

interface Timeouts {
  readonly connect: number
  readonly firstByte: number
  readonly read: number
}

export interface AttemptSettings {
  readonly upstream: Upstream
  readonly clock: Clock
  /** Of the node's context. */
  readonly guard: NodeContext['guard']
  /** In milliseconds; read each time they are needed. */
  readonly timeouts: () => Timeouts
  readonly secureContext: SecureContext | undefined
  /** Certificates are not verified. */
  readonly insecure: boolean
  /** Responses that break HTTP are taken where they can be. */
  readonly lenient: boolean
  readonly redirects: RedirectPolicy
  /** The address is not one of the public Internet. */
  readonly isInternal: (address: string) => boolean
  /** Called for each response head. */
  onResponse(status: number): void
  /** Called once, when a head has been accepted; `url` is safe to show. */
  onAccepted(url: string): void
  /** Something is wrong with a response that is taken all the same; the same text for the same thing. */
  onWarning(text: string): void
  /** The array is valid only during the call. */
  onBytes(bytes: Uint8Array): void
  /** Called at most once, as the last callback, and never after `cancel`. */
  onFailure(code: HttpErrorCode, detail: string, cause?: unknown): void
}

const UNAUTHORIZED = 401
const MAX_STALE_NONCES = 2

export class HttpAttempt {
  readonly #settings: AttemptSettings
  readonly #closing = new Set<Promise<void>>()
  readonly #leniency: Leniency
  readonly #cookies = new CookieJar()
  /** What has been asked for, with which cookies. */
  readonly #asked = new Set<string>()
  #exchange: HttpExchange | undefined
  #intake: BodyIntake | undefined
  #target: RequestTarget
  /** Of the server that sent the last redirect. */
  #fromAddress: string | undefined
  /** Answers to challenges of the current target. */
  #answers = 0
  #isOver = false

  constructor(settings: AttemptSettings) {
    this.#settings = settings
    this.#target = initialTarget(settings.upstream)
    this.#leniency = new Leniency(settings.lenient, (deviation) => {
      settings.onWarning(`the response is not valid HTTP: ${DEVIATIONS[deviation]}`)
    })
  }

  start(): void {
    this.#orFail(() => this.#ask(this.#target))
  }

  /** Reads nothing of the body until the pause is disposed; undefined before it begins. */
  pause(): Disposable | undefined {
    const [exchange, intake] = [this.#exchange, this.#intake]
    if (exchange === undefined || intake === undefined) return undefined
    intake.isPaused = true
    const pause = exchange.pause()
    return {
      [Symbol.dispose]: () => {
        intake.isPaused = false
        pause[Symbol.dispose]()
      },
    }
  }

  /** What it sends is of no use. */
  giveUp(why: string): void {
    this.#fail('HTTP_NO_PACKETS', why)
  }

  /** No callback is called from here on. Safe to call twice. */
  cancel(): void {
    this.#isOver = true
    this.#intake?.[Symbol.dispose]()
    this.#exchange?.cancel()
  }

  /** Resolves when its sockets have closed, which follows a failure or `cancel`. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing)
  }

  /** Asks for a target that was not asked for before, or not with these cookies. */
  #ask(target: RequestTarget): void {
    this.#target = target
    this.#answers = 0
    const key = `${target.url.origin}${target.target} ${this.#cookies.header(target, undefined) ?? ''}`
    if (this.#asked.has(key)) throw httpError('HTTP_REDIRECTS', `a redirect loop at ${showUrl(target.url)}`)
    this.#asked.add(key)
    this.#send({})
  }

  #send(more: Readonly<Record<string, string>>): void {
    const { url, target, headers } = this.#target
    const { clock, guard, timeouts, secureContext, insecure } = this.#settings
    const cookie = this.#cookies.header(this.#target, headers['cookie'])
    const request = renderRequest(url, target, { ...headers, ...(cookie === undefined ? {} : { cookie }), ...more })
    const shared = { clock, guard, timeouts, secureContext, insecure, leniency: this.#leniency }
    const exchange = new HttpExchange({
      ...shared,
      url,
      request,
      admits: this.#admission(),
      onHead: (head, address) => this.#orFail(() => this.#takeHead(head, address)) ?? false,
      onBody: (bytes) => this.#intake?.push(bytes),
      onEnd: () => this.#intake?.end(),
      onFailure: (code, detail, cause) => this.#fail(code, detail, cause),
    })
    this.#exchange = exchange
    this.#closing.add(exchange.closed)
    void exchange.closed.then(() => this.#closing.delete(exchange.closed))
  }

  /** Which addresses may be connected to. */
  #admission(): ((address: string) => boolean) | undefined {
    const { redirects, isInternal } = this.#settings
    const from = this.#fromAddress
    // An unknown address counts as public here, and as internal where it is connected to.
    const isFromPublic = from !== undefined && (from === '' || !isInternal(from))
    return redirects === 'any' || !isFromPublic ? undefined : (address) => !isInternal(address)
  }

  /** Returns whether the body is to be read. Throws what refuses the response. */
  #takeHead(head: ResponseHead, address: string): boolean {
    const { onResponse, onAccepted, onWarning, clock, upstream, redirects } = this.#settings
    onResponse(head.status)
    for (const cookie of valuesOf(head, 'set-cookie'))
      this.#cookies.take(cookie, this.#target, clock.wallMs(clock.nowMs()))
    if (isRedirect(head.status)) {
      const from = this.#target.url
      const target = followRedirect(upstream, this.#target, valuesOf(head, 'location')[0], redirects)
      if (from.protocol === 'https:' && target.url.protocol === 'http:')
        onWarning(`a redirect leads from https to ${showUrl(target.url)}: the stream is not encrypted`)
      this.#leave()
      this.#fromAddress = address
      this.#ask(target)
      return false
    }
    if (head.status === UNAUTHORIZED && this.#answer(head)) return false
    const doubts = admitResponse(head, this.#leniency)
    const { type } = doubts
    if (type !== undefined)
      onWarning(`the response has the Content-Type ${this.#masked(type)}: its bytes decide whether it is a stream`)
    onAccepted(showUrl(this.#target.url))
    if (!this.#isOver) this.#startIntake(doubts)
    return !this.#isOver
  }

  #startIntake(doubts: DoubtfulBody): void {
    const { clock, timeouts, onBytes } = this.#settings
    this.#intake = new BodyIntake({
      clock,
      timeouts,
      doubts,
      onBytes,
      onFailure: (code, detail) => this.#fail(code, detail),
    })
  }

  /** Asks again with what the challenge wants; returns false if it can't. */
  #answer(head: ResponseHead): boolean {
    const { digestLogin: login, target } = this.#target
    const challenge = chooseDigest(parseChallenges(valuesOf(head, 'www-authenticate')))
    if (login === undefined || challenge === undefined) return false
    if (this.#answers > 0 && (!isStale(challenge) || this.#answers > MAX_STALE_NONCES)) return false
    this.#answers++
    this.#leave()
    const cnonce = randomBytes(16).toString('hex')
    this.#send({ authorization: answerDigest(challenge, { method: 'GET', target, login, cnonce }) })
    return true
  }

  #leave(): void {
    this.#exchange?.cancel()
    this.#exchange = undefined
  }

  /** Turns an error that `run` throws into the failure of this attempt. */
  #orFail<T>(run: () => T): T | undefined {
    try {
      return run()
    } catch (error) {
      if (error instanceof RefusedAddress) this.#fail('HTTP_REDIRECTS', refusalText(error.address))
      else if (isEngineError(error)) this.#fail(error.code as HttpErrorCode, error.message)
      else throw error
      return undefined
    }
  }

  #fail(code: HttpErrorCode, detail: string, cause?: unknown): void {
    if (this.#isOver) return
    const { upstream, onFailure } = this.#settings
    this.cancel()
    const via = this.#target.redirects > 0 ? ` (redirected to ${showUrl(this.#target.url)})` : ''
    onFailure(code, `${upstream.name}${via}: ${this.#masked(detail)}`, cause)
  }

  /** Pages and headers of errors repeat what was asked for. */
  #masked(detail: string): string {
    const { upstream } = this.#settings
    const values = [upstream.url, this.#target.url].flatMap(({ searchParams }) => [...searchParams.values()])
    const queries = [upstream.target, this.#target.target].map((target) => target.split('?')[1] ?? '')
    return maskSecrets(detail, [...upstream.secrets, ...queries, ...values])
  }
}
