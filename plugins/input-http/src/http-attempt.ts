// One attempt to open a stream: sends the request, follows redirects, checks the response head, passes the body on, and
// reports once why it ended. HTTP/1.1 and HTTP/1.0, RFC 9112. Everything it holds is bounded: a head by 16 KiB and the
// read timeout, redirects by their number, a body that is not a transport stream by 64 KiB.
import { request as requestHttp } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Duplex } from 'node:stream'
import type { SecureContext } from 'node:tls'
import { isEngineError, StallDetector } from '@millrace/engine/plugin'
import type { Clock, NodeContext } from '@millrace/engine/plugin'
import { initialTarget, isRedirect, followRedirect } from './redirect.js'
import type { RequestTarget } from './redirect.js'
import type { HttpErrorCode } from './http-errors.js'
import { PacketSearch, SEARCH_BYTES } from './packet-search.js'
import { checkHead } from './response-head.js'
import { showUrl } from './upstream.js'
import type { Upstream } from './upstream.js'

export interface AttemptSettings {
  readonly upstream: Upstream
  readonly clock: Clock
  /** Of the node's context. */
  readonly guard: NodeContext['guard']
  /** In milliseconds; read each time they are needed. */
  readonly timeouts: () => { readonly connect: number; readonly read: number }
  readonly secureContext: SecureContext | undefined
  /** Certificates are not verified. */
  readonly insecure: boolean
  /** Called for each response head. */
  onResponse(status: number): void
  /** Called once, when a head has been accepted; `url` is safe to show. */
  onAccepted(url: string): void
  /** The array is valid only during the call. */
  onBytes(bytes: Uint8Array): void
  /** Called at most once, as the last callback, and never after `cancel`. */
  onFailure(code: HttpErrorCode, detail: string, cause?: unknown): void
}

/** How far a request has progressed. */
type Phase = 'connect' | 'tls' | 'head' | 'body'

const MAX_HEAD_BYTES = 16 * 1024
/** Limits of the period at which the body is checked for a stall. */
const MAX_CHECK_PERIOD_MS = 250
const MIN_CHECK_PERIOD_MS = 10
const MAX_REASON_LENGTH = 200

export class HttpAttempt {
  readonly #settings: AttemptSettings
  readonly #closing = new Set<Promise<void>>()
  #request: ClientRequest | undefined
  #timer: Disposable | undefined
  #target: RequestTarget
  #phase: Phase = 'connect'
  #isOver = false

  constructor(settings: AttemptSettings) {
    this.#settings = settings
    this.#target = initialTarget(settings.upstream)
  }

  start(): void {
    this.#send(this.#target)
  }

  /** No callback is called from here on. Safe to call twice. */
  cancel(): void {
    this.#isOver = true
    this.#setTimer(undefined)
    this.#request?.destroy()
  }

  /** Resolves when its sockets have closed, which follows a failure or `cancel`. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing)
  }

  #send(target: RequestTarget): void {
    const { clock, timeouts, insecure, secureContext } = this.#settings
    const isTls = target.url.protocol === 'https:'
    this.#target = target
    this.#phase = 'connect'
    const options = {
      headers: target.headers,
      // A connection of its own, closed with the stream.
      agent: false,
      maxHeaderSize: MAX_HEAD_BYTES,
    } as const
    const tls = { rejectUnauthorized: !insecure, ...(secureContext === undefined ? {} : { secureContext }) }
    const request = isTls ? requestHttps(target.url, { ...options, ...tls }) : requestHttp(target.url, options)
    this.#request = request
    this.#closing.add(this.#whenClosed(request))
    const { connect } = timeouts()
    this.#setTimer(clock.after(connect, () => this.#fail('HTTP_TIMEOUT', `no connection within ${connect / 1000} s`)))
    this.#listen(request, isTls)
    request.end()
  }

  #listen(request: ClientRequest, isTls: boolean): void {
    const { guard, onResponse } = this.#settings
    const awaitHead = guard(() => this.#awaitHead(request))
    const onSocket = guard((socket: NonNullable<ClientRequest['socket']>) => {
      socket.once('connect', isTls ? guard(() => (this.#phase = 'tls')) : awaitHead)
      if (isTls) socket.once('secureConnect', awaitHead)
    })
    request.once('socket', onSocket)
    const takeHead = guard((response: IncomingMessage) => this.#orFail(() => this.#takeHead(request, response)))
    request.once('response', takeHead)
    // 101 Switching Protocols: the request did not ask for an upgrade.
    const refuseUpgrade = guard(({ statusCode = 0 }: IncomingMessage, socket: Duplex) => {
      socket.destroy()
      if (this.#isOver) return
      onResponse(statusCode)
      this.#fail('HTTP_STATUS', `responded with ${statusCode}`)
    })
    request.once('upgrade', refuseUpgrade)
    const explain = guard((error: Error) => {
      if (request === this.#request) this.#explain(error)
    })
    request.on('error', explain)
    request.once(
      'close',
      guard(() => explain(new Error('the connection was closed'))),
    )
  }

  #awaitHead(request: ClientRequest): void {
    if (request !== this.#request || this.#isOver) return
    const { clock, timeouts } = this.#settings
    const { read } = timeouts()
    this.#phase = 'head'
    this.#setTimer(clock.after(read, () => this.#fail('HTTP_TIMEOUT', `no response within ${read / 1000} s`)))
  }

  #takeHead(request: ClientRequest, response: IncomingMessage): void {
    // A response emits an error when it is destroyed later.
    const explain = this.#settings.guard((error: Error) => {
      if (request === this.#request) this.#explain(error)
    })
    response.on('error', explain)
    if (this.#isOver) return
    const status = response.statusCode ?? 0
    this.#settings.onResponse(status)
    if (isRedirect(status)) {
      const target = followRedirect(this.#settings.upstream, this.#target, response.headers.location)
      this.#request = undefined
      request.destroy()
      this.#send(target)
      return
    }
    checkHead(status, response.headers)
    this.#takeBody(response)
  }

  #takeBody(response: IncomingMessage): void {
    const { clock, timeouts, guard, onAccepted, onBytes } = this.#settings
    const search = new PacketSearch()
    const readMs = (): number => timeouts().read
    const stalls = new StallDetector(readMs, clock.nowMs())
    this.#phase = 'body'
    this.#detectStall(stalls, search)
    onAccepted(showUrl(this.#target.url))
    const passOn = (parts: readonly Uint8Array[]): void => {
      for (const part of parts) if (!this.#isOver) onBytes(part)
    }
    const take = guard((bytes: Uint8Array) => {
      if (this.#isOver) return
      stalls.note(bytes.length, clock.nowMs())
      passOn(search.push(bytes))
      if (search.isExhausted) this.#fail('HTTP_NOT_TS', `no packets in the first ${SEARCH_BYTES / 1024} KiB`)
    })
    response.on('data', take)
    const end = guard(() => {
      passOn(search.end())
      if (search.isEmpty) this.#fail('HTTP_ENDED', 'ended without a byte')
      else if (search.isFound) this.#fail('HTTP_ENDED', 'the stream ended')
      else this.#fail('HTTP_NOT_TS', 'ended without a packet')
    })
    response.once('end', end)
  }

  /** Fails the attempt when the body stalls, or when no packets are found in time; runs until the body ends. */
  #detectStall(stalls: StallDetector, search: PacketSearch): void {
    const { clock, timeouts } = this.#settings
    const periodMs = Math.max(MIN_CHECK_PERIOD_MS, Math.min(MAX_CHECK_PERIOD_MS, timeouts().read / 4))
    const startedMs = clock.nowMs()
    const every = clock.every(periodMs, () => {
      const nowMs = clock.nowMs()
      const fault = stalls.check(nowMs, periodMs)
      const searchMs = 2 * timeouts().read
      if (fault !== undefined) this.#fail('HTTP_SILENT', fault)
      else if (!search.isFound && nowMs - startedMs >= searchMs) {
        this.#fail('HTTP_NOT_TS', `no packets within ${searchMs / 1000} s`)
      }
    })
    this.#setTimer(every)
  }

  /** Reports a lost socket: what it means depends on the phase. */
  #explain(error: Error): void {
    const reason = reasonOf(error)
    if (this.#phase === 'body') this.#fail('HTTP_BROKEN', `the stream was interrupted: ${reason}`, error)
    else if (isParserError(error)) this.#fail('HTTP_BAD_ANSWER', `no valid HTTP response: ${reason}`)
    else if (this.#phase === 'tls') this.#fail('HTTP_TLS', `TLS failed: ${reason}`, error)
    else this.#fail('HTTP_CONNECT', this.#phase === 'head' ? `no response: ${reason}` : reason, error)
  }

  /** Turns an EngineError thrown by `run` into the failure of this attempt. */
  #orFail(run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!isEngineError(error)) throw error
      this.#fail(error.code as HttpErrorCode, error.message)
    }
  }

  #fail(code: HttpErrorCode, detail: string, cause?: unknown): void {
    if (this.#isOver) return
    const { upstream, onFailure } = this.#settings
    this.cancel()
    const via = this.#target.visited.length > 1 ? ` (redirected to ${showUrl(this.#target.url)})` : ''
    onFailure(code, `${upstream.name}${via}: ${detail}`, cause)
  }

  #setTimer(timer: Disposable | undefined): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = timer
  }

  #whenClosed(request: ClientRequest): Promise<void> {
    const { guard } = this.#settings
    const closed = new Promise<void>((resolve) => {
      const done = guard(() => resolve())
      const awaitSocket = guard(() => {
        const { socket } = request
        if (socket === null || socket.closed) done()
        else socket.once('close', done)
      })
      request.once('close', awaitSocket)
    })
    void closed.then(() => this.#closing.delete(closed))
    return closed
  }
}

/** An error of llhttp; it carries the bytes that could not be parsed, so it is not passed on as the cause. */
function isParserError(error: Error): boolean {
  return 'code' in error && String(error.code).startsWith('HPE_')
}

/** When every address of a host was tried, the message of the aggregate error is empty. */
function reasonOf(error: Error): string {
  const parts = error instanceof AggregateError ? (error.errors as readonly Error[]) : [error]
  return [...new Set(parts.map(({ message }) => message))].join(', ').slice(0, MAX_REASON_LENGTH)
}
