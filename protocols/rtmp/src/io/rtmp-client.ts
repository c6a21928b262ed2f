// Calls a server to publish a stream, or to play one.
import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { parseRtmpUrl } from '../address/rtmp-url.js'
import type { RtmpTarget } from '../address/rtmp-url.js'
import type { MediaMessage } from '../send/media-message.js'
import { ClientSession } from '../session/client-session.js'
import type { ClientFailure, ClientOptions } from '../session/client-session.js'
import type { End } from '../session/end.js'
import type { LinkStats } from '../session/link.js'
import type { MediaType } from '../session/message.js'
import { duplexPort } from './duplex-port.js'
import { endError, refusalError, RtmpError } from './rtmp-error.js'
import { SessionDriver } from './session-driver.js'
import { SYSTEM_HOST } from './stream-port.js'
import type { OpenPort, TransportHost } from './stream-port.js'

/** Connects to the target, TLS included if it is secure. Rejects with RTMP_UNREACHABLE, or its own error. */
export type Dial = (target: RtmpTarget, signal: AbortSignal | undefined) => Promise<OpenPort>

export interface RtmpClientOptions extends Partial<ClientOptions> {
  /** Of the server's certificate. */
  readonly tls?: TlsOptions
  /** For the connection, TLS included. By default 10 s. */
  readonly connectTimeoutMs?: number
  readonly flashVer?: string
  /** Gives the call up. */
  readonly signal?: AbortSignal
  /** Instead of sockets of Node.js. */
  readonly dial?: Dial
  readonly host?: TransportHost
  /** Media of the stream that is played: the body of an FLV tag, valid during the call. */
  onMedia?(type: MediaType, timestampMs: number, body: Uint8Array): void
  /** The stream that is played has ended at the server. */
  onUnpublished?(): void
  /** Called once, if the connection was there. */
  onEnd?(end: End): void
}

const CONNECT_TIMEOUT_MS = 10_000
/** The server's challenge needs two further connections. */
const MOST_ATTEMPTS = 3

export class RtmpClient implements AsyncDisposable {
  /** Resolves when the connection has ended. */
  readonly closed: Promise<End>
  readonly #driver: SessionDriver
  readonly #session: ClientSession
  readonly #options: RtmpClientOptions
  #failure: ClientFailure | undefined
  #settle: (end: End) => void = () => {}
  #onStarted: () => void = () => {}
  #isStarted = false

  /** Resolves when the server has accepted the stream. Rejects with an RtmpError, or with the reason of `signal`. */
  static publish(url: string, options: RtmpClientOptions = {}): Promise<RtmpClient> {
    return call(url, 'publish', options)
  }

  /** Resolves when the server says that it plays; media may wait for a publisher. */
  static play(url: string, options: RtmpClientOptions = {}): Promise<RtmpClient> {
    return call(url, 'play', options)
  }

  /** @internal */
  constructor(open: OpenPort, target: RtmpTarget, mode: 'publish' | 'play', options: RtmpClientOptions) {
    const { host = SYSTEM_HOST, flashVer } = options
    this.#options = options
    this.closed = new Promise((resolve) => (this.#settle = resolve))
    const driver = new SessionDriver(host, open, (end) => this.#ended(end))
    this.#driver = driver
    const credentials =
      target.user === undefined ? {} : { credentials: { user: target.user, password: target.password ?? '' } }
    const { app, tcUrl, name } = target
    this.#session = new ClientSession(
      { app, tcUrl, name, mode, ...credentials, ...(flashVer === undefined ? {} : { flashVer }) },
      {
        transmit: (bytes) => driver.transmit(bytes),
        ended: (end) => driver.ended(end),
        started: () => {
          this.#isStarted = true
          this.#onStarted()
        },
        failed: (failure) => (this.#failure = failure),
        media: (type, timestampMs, body) => options.onMedia?.(type, timestampMs, body),
        unpublished: () => options.onUnpublished?.(),
      },
      options,
      host.nowMs(),
    )
    driver.start(this.#session)
  }

  get isClosed(): boolean {
    return this.#session.isEnded
  }

  /** False if the message was dropped, since the server is too slow. `isBacklog`: of the past, as the stream begins. */
  send(message: MediaMessage, isBacklog = false): boolean {
    const isSent = this.#session.send(message, this.#driver.nowMs, isBacklog)
    this.#driver.touched()
    return isSent
  }

  stats(): LinkStats {
    return this.#session.stats(this.#driver.nowMs)
  }

  /** Reads nothing until all holds are disposed: the server has to wait. */
  hold(): Disposable {
    return this.#driver.hold()
  }

  async close(): Promise<void> {
    this.#session.close(this.#driver.nowMs)
    await this.closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * @internal Undefined when the server has accepted; the query of the next attempt if it asks for credentials.
   */
  async started(): Promise<string | undefined> {
    if (this.#isStarted) return undefined
    const end = await Promise.race([
      this.closed,
      new Promise<undefined>((resolve) => (this.#onStarted = () => resolve(undefined))),
    ])
    if (end === undefined) return undefined
    if (this.#failure?.retryQuery !== undefined) return this.#failure.retryQuery
    if (this.#failure !== undefined) throw refusalError(this.#failure.refusal, this.#failure.description)
    throw endError(end)
  }

  #ended(end: End): void {
    this.#settle(end)
    if (this.#isStarted) this.#options.onEnd?.(end)
  }
}

async function call(url: string, mode: 'publish' | 'play', options: RtmpClientOptions): Promise<RtmpClient> {
  const target = parseRtmpUrl(url)
  if (target === undefined) throw new RtmpError('RTMP_OPTION', 'not a URL like rtmp://host/app/name')
  let query = ''
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const { app, tcUrl } = target
    const client = await open({ ...target, app: app + query, tcUrl: tcUrl + query }, mode, options)
    const abort = (): void => void client.close()
    options.signal?.addEventListener('abort', abort)
    if (options.signal?.aborted === true) abort()
    const next = await client
      .started()
      .catch((error: unknown) => {
        options.signal?.throwIfAborted()
        throw error
      })
      // The signal may live as long as the program, and many attempts fail.
      .finally(() => options.signal?.removeEventListener('abort', abort))
    if (next === undefined) return client
    query = `?${next}`
  }
  throw new RtmpError('RTMP_REJECTED', 'the server asks for credentials again and again')
}

async function open(target: RtmpTarget, mode: 'publish' | 'play', options: RtmpClientOptions): Promise<RtmpClient> {
  options.signal?.throwIfAborted()
  const dial = options.dial ?? ((to, signal) => dialNode(to, signal, options))
  return new RtmpClient(await dial(target, options.signal), target, mode, options)
}

async function dialNode(
  { host, port, isSecure }: RtmpTarget,
  signal: AbortSignal | undefined,
  { tls = {}, connectTimeoutMs = CONNECT_TIMEOUT_MS }: RtmpClientOptions,
): Promise<OpenPort> {
  const timeout = AbortSignal.timeout(connectTimeoutMs)
  const signals = signal === undefined ? [timeout] : [signal, timeout]
  const name = isIP(host) === 0 ? { servername: host } : {}
  const socket = isSecure ? connectTls({ ...name, ...tls, host, port }) : connect({ host, port })
  socket.setNoDelay(true)
  const abort = (): void => void socket.destroy(new Error('no connection in time'))
  for (const each of signals) each.addEventListener('abort', abort)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(isSecure ? 'secureConnect' : 'connect', resolve)
      socket.once('error', reject)
    })
  } catch (cause) {
    signal?.throwIfAborted()
    if (timeout.aborted) throw new RtmpError('RTMP_TIMEOUT', `no answer from ${host} port ${port}`, { cause })
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new RtmpError('RTMP_UNREACHABLE', message, { cause })
  } finally {
    for (const each of signals) each.removeEventListener('abort', abort)
  }
  socket.pause()
  return duplexPort(socket)
}
