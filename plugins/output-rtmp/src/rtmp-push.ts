// The output that publishes to a server: one connection, made again whenever it is lost. It stays open while the stream pauses.
import type { Clock, Inlet, NodeContext, Options, Output, Sockets, TlsTarget } from '@millrace/engine/plugin'
import { isEngineError, KeptConnection } from '@millrace/engine/plugin'
import { parseRtmpUrl } from '@millrace/rtmp'
import type { End } from '@millrace/rtmp'
import { dialLent, RtmpClient, RtmpError } from '@millrace/rtmp/node'
import type { Subscription } from 'rxjs'
import { FlvStream, LEFT_OUT } from './flv-stream.js'
import type { FlvReceiver } from './flv-stream.js'
import { rtmpOutputError } from './rtmp-output-errors.js'
import type { RtmpOutputErrorCode } from './rtmp-output-errors.js'
import { SendingConnections } from './rtmp-output-metrics.js'
import type { RtmpOutputOptions } from './rtmp-output-options.js'
import { readInlet } from './read-inlet.js'

const DEFAULT_CONNECT_TIMEOUT_MS = 5000
const DEFAULT_HOLD_MS = 30_000
/** What waits is sent for so long after the stream has ended. */
const DRAIN_MS = 5000
const DRAIN_STEP_MS = 50

/** Codecs that we send by Enhanced RTMP, or by the legacy headers. */
const FOUR_CC_LIST = ['avc1', 'hvc1', 'av01', 'mp4a', '.mp3', 'Opus', 'ac-3', 'ec-3']

/** Codes of the protocol and of sockets. */
const CODES: Readonly<Record<string, RtmpOutputErrorCode>> = {
  RTMP_TIMEOUT: 'RTMP_PUSH_TIMEOUT',
  RTMP_REJECTED: 'RTMP_PUSH_REJECTED',
  RTMP_NOT_FOUND: 'RTMP_PUSH_REJECTED',
  RTMP_BAD_NAME: 'RTMP_PUSH_NAME_TAKEN',
  RTMP_PROTOCOL: 'RTMP_PUSH_PROTOCOL',
  RTMP_CLOSED: 'RTMP_PUSH_REJECTED',
  SOCKET_TIMEOUT: 'RTMP_PUSH_TIMEOUT',
}

const ENDS: Readonly<Partial<Record<End['code'], RtmpOutputErrorCode>>> = {
  refused: 'RTMP_PUSH_REJECTED',
  protocol: 'RTMP_PUSH_PROTOCOL',
  pingTimeout: 'RTMP_PUSH_TIMEOUT',
  writeTimeout: 'RTMP_PUSH_TIMEOUT',
}

type PushError = ReturnType<typeof rtmpOutputError>

export interface RtmpPushParts {
  readonly options$: Options<RtmpOutputOptions>
  readonly tls: TlsTarget
  readonly context: NodeContext
  readonly clock: Clock
  readonly sockets: Pick<Sockets, 'connect'>
  /** Numbers in [0, 1). */
  readonly random: () => number
}

export class RtmpPush implements Output {
  readonly #parts: RtmpPushParts
  readonly #stream: FlvStream
  #inlet: Inlet | undefined
  readonly #connections = new SendingConnections()
  readonly #kept: KeptConnection<PushError>
  readonly #target: string
  #client: RtmpClient | undefined
  #calls = 0
  #failures = 0
  #lastFailure: { readonly code: string; readonly text: string; readonly hint: string } | undefined

  constructor(parts: RtmpPushParts) {
    this.#parts = parts
    const { context, clock, options$, random } = parts
    this.#target = parseRtmpUrl(options$.value.url ?? '')?.tcUrl ?? ''
    this.#stream = new FlvStream({
      nowMs: () => clock.nowMs(),
      lostAtMs: () => this.#inlet?.lostAtMs ?? -Infinity,
      leftOut: (kind, codec, reason) => context.log.warn({ kind, codec }, LEFT_OUT[reason]),
    })
    this.#connections.show(context, this.#stream, () => ({
      target: this.#target,
      lastFailure: this.#lastFailure ?? null,
    }))
    context.readMetric('rtmp_calls_total', () => this.#calls)
    context.readMetric('rtmp_call_failures_total', () => this.#failures)
    this.#kept = new KeptConnection({
      ...{ clock, context, random, waitsForStream: true },
      target: () => this.#target,
      holdMs: () => options$.value.holdFor ?? DEFAULT_HOLD_MS,
      connect: (signal, connected) => this.#connect(signal, connected),
      failed: (error) => this.#note(error),
    })
  }

  accept(inlets: readonly Inlet[]): Subscription {
    this.#inlet = inlets[0]
    return readInlet(inlets, this.#stream, this.#parts.clock, () => this.#kept.noteStream())
  }

  /** What has come is written to the connection, or to the one that is being made, if the server takes it in time. */
  async drained(): Promise<void> {
    const { clock } = this.#parts
    for (const startMs = clock.nowMs(); clock.nowMs() - startMs < DRAIN_MS;) {
      if (this.#client === undefined ? !this.#kept.isCalling : this.#client.stats().queuedBytes === 0) break
      await new Promise<void>((resolve) => clock.after(DRAIN_STEP_MS, resolve))
    }
    await this.#kept[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#kept[Symbol.asyncDispose]()
  }

  /** Resolves with what went wrong. */
  async #connect(signal: AbortSignal, connected: () => void): Promise<PushError> {
    const { options$, context, clock, sockets, tls } = this.#parts
    const { url = '', connectTimeout: timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = options$.value
    let client: RtmpClient | undefined
    try {
      client = await RtmpClient.publish(url, {
        fourCcList: FOUR_CC_LIST,
        signal,
        dial: dialLent(sockets, { timeoutMs, tls }),
        host: { nowMs: () => clock.nowMs(), after: (delayMs, run) => clock.after(delayMs, context.guard(run)) },
      })
    } catch (cause) {
      const code = cause instanceof RtmpError || isEngineError(cause) ? CODES[cause.code] : undefined
      return rtmpOutputError(code ?? 'RTMP_PUSH_UNREACHABLE', textOf(cause), { target: this.#target, cause })
    }
    this.#calls++
    context.log.info({ target: this.#target }, 'the server takes the stream')
    context.ready()
    connected()
    return this.#serve(client, signal)
  }

  async #serve(client: RtmpClient, signal: AbortSignal): Promise<PushError> {
    const { context } = this.#parts
    const receiver: FlvReceiver = {
      send: (message, isBacklog) => {
        if (client.send(message, isBacklog)) context.sent(message.body.length)
      },
    }
    this.#client = client
    const forget = this.#connections.add({ peer: this.#target, stats: () => client.stats() })
    this.#stream.add(receiver)
    const leave = (): void => void client.close()
    signal.addEventListener('abort', leave)
    if (signal.aborted) leave()
    const end = await client.closed
    signal.removeEventListener('abort', leave)
    this.#stream.delete(receiver)
    this.#client = undefined
    forget()
    const text = end.detail === '' ? `the connection has ended: ${end.code}` : end.detail
    return rtmpOutputError(ENDS[end.code] ?? 'RTMP_PUSH_LOST', text, { target: this.#target })
  }

  #note(error: PushError): void {
    const { context } = this.#parts
    const { code, message: text } = error
    const { hint } = error.row
    this.#failures++
    this.#lastFailure = { code, text, hint }
    context.log.warn({ code, target: this.#target, hint }, text)
    context.degraded(`cannot publish to ${this.#target}: ${code}: ${text}`)
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
