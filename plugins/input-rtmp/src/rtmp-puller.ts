// The input that plays from a server: each subscription is one call. The engine decides when to make the next one.
import { isEngineError, SourceAttempts } from '@millrace/engine/plugin'
import type {
  Clock,
  NodeContext,
  PacketTimeout,
  Received,
  Sockets,
  Source,
  SourceAttempt,
  TlsTarget,
} from '@millrace/engine/plugin'
import { MESSAGE, parseRtmpUrl } from '@millrace/rtmp'
import type { End } from '@millrace/rtmp'
import { dialLent, RtmpClient, RtmpError } from '@millrace/rtmp/node'
import type { Observable } from 'rxjs'
import { ENHANCED_CAPABILITIES } from './enhanced-capabilities.js'
import { IdleWatch } from './idle-watch.js'
import { rtmpError } from './rtmp-errors.js'
import type { RtmpInputErrorCode } from './rtmp-errors.js'
import type { RtmpInputOptions } from './rtmp-options.js'
import type { RtmpStreams } from './rtmp-streams.js'
import { TsRemuxer } from './ts-remuxer.js'

const DEFAULT_CONNECT_TIMEOUT_MS = 5000
const DEFAULT_READ_TIMEOUT_MS = 10_000

export interface RtmpPullerParts {
  readonly options: () => RtmpInputOptions
  readonly tls: TlsTarget
  readonly context: NodeContext
  readonly clock: Clock
  readonly sockets: Pick<Sockets, 'connect'>
  readonly streams: RtmpStreams
}

/** Codes of the protocol that have a row of their own. */
const CODES: Readonly<Record<string, RtmpInputErrorCode>> = {
  RTMP_TIMEOUT: 'RTMP_TIMEOUT',
  RTMP_REJECTED: 'RTMP_REJECTED',
  RTMP_BAD_NAME: 'RTMP_REJECTED',
  RTMP_NOT_FOUND: 'RTMP_NOT_FOUND',
  RTMP_PROTOCOL: 'RTMP_PROTOCOL',
  RTMP_CLOSED: 'RTMP_REJECTED',
  SOCKET_TIMEOUT: 'RTMP_TIMEOUT',
}

export class RtmpPuller implements Source<Received> {
  readonly chunks: Observable<Received>
  readonly packetTimeout: PacketTimeout
  readonly #parts: RtmpPullerParts
  readonly #attempts = new SourceAttempts((attempt) => this.#run(attempt))
  #client: RtmpClient | undefined
  #silence: IdleWatch | undefined

  constructor(parts: RtmpPullerParts) {
    this.#parts = parts
    this.chunks = this.#attempts.chunks
    this.packetTimeout = {
      get ms() {
        return parts.options().readTimeout ?? DEFAULT_READ_TIMEOUT_MS
      },
      giveUp: (why) => this.#attempts.fail(this.#error('RTMP_NO_PACKETS', why)),
    }
  }

  pause(): Disposable | undefined {
    const hold = this.#client?.hold()
    return hold && this.#silence?.hold(hold)
  }

  /** Every connection has closed when this resolves. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#attempts[Symbol.asyncDispose]()
  }

  /** Rejects with the error of the attempt; resolves when it was stopped. */
  async #run(attempt: SourceAttempt): Promise<void> {
    const { context, clock, options, streams } = this.#parts
    const remuxer = new TsRemuxer({
      syncMs: options().sync,
      nowMs: () => clock.nowMs(),
      after: (delayMs, run) => clock.after(delayMs, context.guard(run)),
      onPackets: (packets) => attempt.next(packets),
      onUnsupported: (kind, codec) =>
        context.log.warn({ kind, codec }, 'this codec is not carried: the track is left out'),
    })
    const client = await this.#play(remuxer, attempt.signal)
    if (client === undefined) return
    this.#client = client
    const forget = streams.add({ key: shownUrl(options().url), ...this.#shown(), remuxer, stats: () => client.stats() })
    const silence = new IdleWatch(
      clock,
      () => options().readTimeout ?? DEFAULT_READ_TIMEOUT_MS,
      () => this.#attempts.fail(this.#error('RTMP_SILENT', 'nothing comes from the server')),
    )
    this.#silence = silence
    try {
      context.ready()
      const ended = client.closed.then((end) => this.#endError(end))
      const error = await Promise.race([attempt.over, ended])
      remuxer.end()
      if (error !== undefined && !attempt.signal.aborted) throw error
    } finally {
      silence[Symbol.dispose]()
      forget()
      this.#client = undefined
      this.#silence = undefined
      await client.close()
    }
  }

  /** Undefined if it was stopped. */
  async #play(remuxer: TsRemuxer, stop: AbortSignal): Promise<RtmpClient | undefined> {
    const { context, clock, sockets, options, tls } = this.#parts
    const { url = '', connectTimeout: timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = options()
    try {
      return await RtmpClient.play(url, {
        ...ENHANCED_CAPABILITIES,
        signal: stop,
        dial: dialLent(sockets, { timeoutMs, tls }),
        host: { nowMs: () => clock.nowMs(), after: (delayMs, run) => clock.after(delayMs, context.guard(run)) },
        onMedia: context.guard((type, timestampMs, body) => {
          if (type !== MESSAGE.data) this.#silence?.noteMedia()
          remuxer.push(type, timestampMs, body)
        }),
        onUnpublished: context.guard(() => this.#attempts.fail(this.#error('RTMP_ENDED', 'the server says so'))),
      })
    } catch (error) {
      remuxer.end()
      if (stop.aborted) return undefined
      throw this.#callError(error)
    }
  }

  #shown(): { client: string; agent: string } {
    const { host = '', port = 0 } = parseRtmpUrl(this.#parts.options().url ?? '') ?? {}
    return { client: `${host}:${port}`, agent: '' }
  }

  #callError(cause: unknown): Error {
    const text = cause instanceof Error ? cause.message : String(cause)
    const code = cause instanceof RtmpError || isEngineError(cause) ? CODES[cause.code] : undefined
    return this.#error(code ?? 'RTMP_UNREACHABLE', text, cause)
  }

  #endError({ code, detail }: End): Error {
    if (code === 'peer')
      return this.#error('RTMP_BROKEN', detail === '' ? 'the server has closed the connection' : detail)
    if (code === 'protocol') return this.#error('RTMP_PROTOCOL', detail)
    if (code === 'refused') return this.#error('RTMP_REJECTED', detail)
    return this.#error('RTMP_BROKEN', `the connection has ended: ${code}`)
  }

  #error(code: RtmpInputErrorCode, text: string, cause?: unknown): Error {
    const target = shownUrl(this.#parts.options().url)
    return rtmpError(code, `${target}: ${text}`, { target, ...(cause === undefined ? {} : { cause }) })
  }
}

/** Without name, query and credentials: any of them can be a secret. */
function shownUrl(url = ''): string {
  return parseRtmpUrl(url)?.tcUrl ?? ''
}
