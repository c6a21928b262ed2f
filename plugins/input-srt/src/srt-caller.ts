// The input that calls: each subscription is one call. The engine decides when to make the next one.
import { SourceAttempts } from '@millrace/engine/plugin'
import type {
  Clock,
  NodeContext,
  PacketTimeout,
  Received,
  Sockets,
  Source,
  SourceAttempt,
} from '@millrace/engine/plugin'
import { callTargetOf, SocketsPort, SrtError, SrtSocket } from '@millrace/srt/node'
import type { ConnectionTotals, EndReason, SrtConnection } from '@millrace/srt/node'
import { REJECT, shownTarget } from '@millrace/srt'
import type { Observable } from 'rxjs'
import { faultOf } from './end-reasons.js'
import { srtError, type SrtErrorCode } from './srt-errors.js'
import type { SrtInputOptions } from './srt-options.js'

const DEFAULT_CONNECT_TIMEOUT_MS = 3000
const DEFAULT_READ_TIMEOUT_MS = 5000

export interface SrtCallerParts {
  readonly options: () => SrtInputOptions
  readonly context: NodeContext
  readonly clock: Clock
  readonly sockets: Pick<Sockets, 'udp'>
  readonly totals: ConnectionTotals
}

export class SrtCaller implements Source<Received> {
  readonly chunks: Observable<Received>
  readonly packetTimeout: PacketTimeout
  readonly #parts: SrtCallerParts
  readonly #attempts = new SourceAttempts((attempt) => this.#run(attempt))

  constructor(parts: SrtCallerParts) {
    this.#parts = parts
    this.chunks = this.#attempts.chunks
    this.packetTimeout = {
      get ms() {
        return parts.options().readTimeout ?? DEFAULT_READ_TIMEOUT_MS
      },
      giveUp: (why) => this.#attempts.fail(this.#error('SRT_NO_PACKETS', why)),
    }
  }

  /** Every socket has closed when this resolves. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#attempts[Symbol.asyncDispose]()
  }

  /** Rejects with the error of the attempt; resolves when it was stopped. */
  async #run(attempt: SourceAttempt): Promise<void> {
    const { clock, context, sockets, options } = this.#parts
    const port = await SocketsPort.open(sockets, callTargetOf(options()).host)
    const socket = SrtSocket.over(port, {
      nowMs: () => clock.nowMs(),
      after: (delayMs, run) => clock.after(delayMs, run),
      guard: (run) => context.guard(run),
    })
    try {
      if (attempt.signal.aborted) return
      const connection = await this.#call(socket, attempt.signal)
      if (connection === undefined) return
      const error = await this.#read(connection, attempt)
      if (error !== undefined) throw error
    } finally {
      await socket.close()
    }
  }

  /** Undefined if it was stopped. */
  async #call(socket: SrtSocket, stop: AbortSignal): Promise<SrtConnection | undefined> {
    const options = this.#parts.options()
    const { connectTimeout = DEFAULT_CONNECT_TIMEOUT_MS, readTimeout = DEFAULT_READ_TIMEOUT_MS } = options
    const { reorderTolerance = 0 } = options
    try {
      return await socket.connect({
        ...callTargetOf(options),
        timeoutMs: connectTimeout,
        signal: stop,
        connection: { idleUs: readTimeout * 1000, reorderTolerance },
      })
    } catch (error) {
      if (stop.aborted) return undefined
      throw this.#callError(error)
    }
  }

  #read(connection: SrtConnection, attempt: SourceAttempt): Promise<Error | undefined> {
    const { context, totals, options } = this.#parts
    totals.add(connection)
    context.log.info({ target: shownTarget(options().address ?? '') }, 'connected')
    context.ready()
    const ended = new Promise<Error>((resolve) => {
      connection.onData = context.guard((payloads) => {
        for (const payload of payloads) attempt.next(payload)
      })
      connection.onClose = context.guard((reason) => resolve(this.#endError(reason)))
    })
    return Promise.race([attempt.over, ended])
  }

  #callError(cause: unknown): Error {
    const text = cause instanceof Error ? cause.message : String(cause)
    if (!(cause instanceof SrtError)) return this.#error('SRT_UNREACHABLE', text, cause)
    const { code, rejectCode } = cause
    if (code === 'SRT_TIMEOUT') return this.#error('SRT_TIMEOUT', text, cause)
    if (rejectCode === REJECT.badSecret || rejectCode === REJECT.unsecure) return this.#error('SRT_SECRET', text, cause)
    return this.#error(code === 'SRT_REJECTED' ? 'SRT_REJECTED' : 'SRT_UNREACHABLE', text, cause)
  }

  #endError(reason: EndReason): Error {
    if (reason === 'peer-closed') return this.#error('SRT_ENDED', 'the sender closed the connection')
    if (reason === 'idle') return this.#error('SRT_SILENT', 'nothing comes from the sender')
    return this.#error('SRT_BROKEN', `the connection ended: ${faultOf(reason) ?? reason}`)
  }

  #error(code: SrtErrorCode, text: string, cause?: unknown): Error {
    const target = shownTarget(this.#parts.options().address ?? '')
    return srtError(code, `${target}: ${text}`, { target, ...(cause === undefined ? {} : { cause }) })
  }
}
