// A socket in a thread of its own: datagrams, timers, retransmission and encryption cost the program's event loop nothing, and
// do not wait for it. What connections receive comes in batches, whose memory changes hands.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { EndpointStats } from '../../endpoint-stats.js'
import { makeEndpointCounters } from '../../endpoint-stats.js'
import type { PeerAddress } from '../../handshake/cookie.js'
import { REJECT } from '../../handshake/reject-code.js'
import { callHandler } from '../call-handler.js'
import { checkPassphrase } from '../socket-options.js'
import type { SocketOptions, SrtRequest } from '../socket-options.js'
import { SrtError } from '../srt-error.js'
import type { SrtErrorCode } from '../srt-error.js'
import { ThreadedConnection } from './threaded-connection.js'
import { originMs, unpackPayloads } from './thread-messages.js'
import type {
  FromThread,
  Handlers,
  OpenedConnection,
  Payloads,
  PlainConnect,
  PlainError,
  PlainListen,
  PlainOptions,
  ThreadData,
  ThreadState,
  ToThread,
} from './thread-messages.js'

const THREAD = new URL('./socket-thread.js', import.meta.url)
/** Statistics are asked for at most this often. */
const REFRESH_MS = 200
/** A thread that does not end by itself is ended. */
const SHUT_DOWN_MS = 2000
const ERROR_CODES: readonly string[] = ['SRT_REJECTED', 'SRT_TIMEOUT', 'SRT_OPTION', 'SRT_CLOSED']

export type ThreadedRequest = Omit<SrtRequest, 'earlier'>

export type ThreadedDecision =
  | { readonly reject: number; readonly onConnection?: never; readonly onRefused?: never }
  | (PlainOptions & {
      readonly reject?: never
      /** Ends earlier connections from the same address and port with the same StreamID. */
      readonly replaceEarlier?: boolean
      /** Called instead of that of the listener. */
      onConnection?(connection: ThreadedConnection): void
      /** Called instead of `onConnection` if there is no connection after all: the passphrase was wrong. */
      onRefused?(code: number): void
    })

/** As `ListenOptions`, without a `source`. */
export interface ThreadedListenOptions extends PlainListen {
  onRequest?(request: ThreadedRequest): ThreadedDecision | Promise<ThreadedDecision>
  onConnection(connection: ThreadedConnection): void
  onRefused?(peer: PeerAddress, code: number): void
}

/** As `ConnectOptions`, without a `source`. */
export type ThreadedConnectOptions = PlainConnect & { readonly signal?: AbortSignal }

type Acceptance = Extract<ThreadedDecision, { readonly reject?: never }>
type Accepted = Required<Pick<Acceptance, 'onConnection'>> & Pick<Acceptance, 'onRefused'>

interface PendingCall {
  resolve(connection: ThreadedConnection): void
  reject(error: Error): void
}

export class ThreadedSocket implements AsyncDisposable {
  readonly address: PeerAddress
  /** What the system granted, by its own count. */
  readonly receiveBufferBytes: number
  /** Resolves when the thread has ended: with the error if it failed, which ends all connections. */
  readonly ended: Promise<Error | undefined>
  readonly #worker: Worker
  readonly #connections = new Map<number, ThreadedConnection>()
  readonly #accepted = new Map<number, Accepted>()
  readonly #calls = new Map<number, PendingCall>()
  #listening: ThreadedListenOptions | undefined
  #lastCall = 0
  #askedMs = -Infinity
  #state: Omit<ThreadState, 'connections'> = {
    ...{ endpoint: makeEndpointCounters(), errors: 0, lastError: undefined, untaken: 0 },
  }
  #closing: Promise<void> | undefined
  #failure: Error | undefined
  #isOver = false

  readonly #handlers: Handlers<FromThread> = {
    bound: () => undefined,
    unbound: () => undefined,
    data: ({ runs }) => this.#deliver(runs),
    sent: ({ connection, bytes, untaken }) => this.#connections.get(connection)?.noteSent(bytes, untaken),
    state: ({ state }) => this.#noteState(state),
    request: ({ request, asked }) => void this.#decide(request, asked),
    accepted: ({ request, connection }) => this.#accept(request, connection),
    unconnected: ({ request, code }) => {
      const accepted = this.#accepted.get(request)
      this.#accepted.delete(request)
      accepted?.onRefused?.(code)
    },
    refused: ({ peer, code }) => this.#noteRefused(peer, code),
    called: ({ call, connection }) => this.#calls.get(call)?.resolve(this.#open(connection)),
    'call-failed': ({ call, error }) => this.#calls.get(call)?.reject(errorOf(error)),
    ended: ({ connection, reason }) => this.#end(connection, reason),
  }

  private constructor(worker: Worker, { address, receiveBufferBytes }: Extract<FromThread, { type: 'bound' }>) {
    this.#worker = worker
    this.address = address
    this.receiveBufferBytes = receiveBufferBytes
    worker.on('message', (message: FromThread) => this.#take(message))
    worker.on('error', (error) => (this.#failure ??= error))
    this.ended = new Promise((resolve) => worker.once('exit', () => resolve(this.#endAll())))
  }

  /** Starts the thread, and binds the socket there. Rejects with the error of the system. */
  static async open(socket: SocketOptions): Promise<ThreadedSocket> {
    const workerData: ThreadData = { socket, originMs: originMs() }
    const worker = new Worker(THREAD, { workerData, name: 'srt' })
    const first = await firstOf(worker)
    if (first.type === 'bound') return new ThreadedSocket(worker, first)
    throw first.type === 'unbound' ? errorOf(first.error) : closedError()
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** As the thread told them last: handshakes, and datagrams that were not taken. */
  stats(): EndpointStats {
    this.#refresh()
    return this.#state.endpoint
  }

  /** Errors that the system reported, as the thread told them last. */
  get errors(): { readonly count: number; readonly last: Error | undefined } {
    this.#refresh()
    const { errors: count, lastError } = this.#state
    return { count, last: lastError === undefined ? undefined : new Error(lastError) }
  }

  /** Payloads that were dropped in the thread because the program had not taken those before: 32 MiB wait for it. */
  get untaken(): number {
    this.#refresh()
    return this.#state.untaken
  }

  /** Accepts callers from now on. May be called again with other options. */
  listen(options: ThreadedListenOptions): void {
    checkPassphrase(options.passphrase)
    const { onRequest: _, onConnection: __, onRefused: ___, ...plain } = options
    this.#post({ type: 'listen', options: plain })
    this.#listening = options
  }

  /** Refuses callers from now on; connections go on. */
  stopListening(): void {
    this.#listening = undefined
    this.#post({ type: 'stop-listening' })
  }

  /** Resolves when the connection is open. Rejects with SrtError, or the error of the name look-up. */
  async connect({ signal, ...options }: ThreadedConnectOptions): Promise<ThreadedConnection> {
    if (this.#isOver || this.#closing !== undefined) throw closedError()
    signal?.throwIfAborted()
    const call = ++this.#lastCall
    const giveUp = (): void => this.#post({ type: 'give-up', call })
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      const connection = await new Promise<ThreadedConnection>((resolve, reject) => {
        this.#calls.set(call, { resolve, reject })
        this.#post({ type: 'connect', call, options })
      })
      if (signal?.aborted !== true) return connection
      connection.end()
      throw signal.reason
    } catch (error) {
      throw signal?.aborted === true && signal.reason instanceof Error ? signal.reason : error
    } finally {
      signal?.removeEventListener('abort', giveUp)
      this.#calls.delete(call)
    }
  }

  /** Closes all connections, at once, the socket and the thread. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #shutDown(): Promise<void> {
    this.#post({ type: 'shut-down' })
    const timer = setTimeout(() => void this.#worker.terminate(), SHUT_DOWN_MS)
    await this.ended
    clearTimeout(timer)
  }

  #post(message: ToThread, transfer: ArrayBuffer[] = []): void {
    if (!this.#isOver) this.#worker.postMessage(message, transfer)
  }

  #take(message: FromThread): void {
    const handle = this.#handlers[message.type] as (message: FromThread) => void
    handle(message)
  }

  #deliver(runs: readonly Payloads[]): void {
    let taken = 0
    for (const run of runs) {
      taken += run.bytes.byteLength
      callHandler(() => this.#connections.get(run.connection)?.onData(unpackPayloads(run)))
    }
    this.#post({ type: 'taken', bytes: taken, refusals: 0 })
  }

  #noteRefused(peer: PeerAddress, code: number): void {
    this.#post({ type: 'taken', bytes: 0, refusals: 1 })
    this.#listening?.onRefused?.(peer, code)
  }

  async #decide(request: number, asked: ThreadedRequest): Promise<void> {
    const listening = this.#listening
    let decision: ThreadedDecision
    try {
      decision = listening === undefined ? { reject: REJECT.closed } : ((await listening.onRequest?.(asked)) ?? {})
    } catch {
      decision = { reject: REJECT.internalServerError }
    }
    if (decision.reject !== undefined || listening === undefined)
      return this.#post({ type: 'decide', request, decision: { reject: decision.reject ?? REJECT.closed } })
    this.#tellAcceptance(request, decision, listening)
  }

  #tellAcceptance(request: number, accepted: Acceptance, listening: ThreadedListenOptions): void {
    const { onConnection = listening.onConnection, onRefused, reject: _, ...decision } = accepted
    const refuse = (code: number): void => void callHandler(() => onRefused?.(code))
    if (this.#isOver || this.#closing !== undefined) return refuse(REJECT.closed)
    try {
      checkPassphrase(decision.passphrase)
      this.#post({ type: 'decide', request, decision })
    } catch {
      // Its passphrase can be none, or it has something that does not pass between threads.
      this.#post({ type: 'decide', request, decision: { reject: REJECT.internalServerError } })
      return refuse(REJECT.internalServerError)
    }
    this.#accepted.set(request, { onConnection, ...(onRefused === undefined ? {} : { onRefused }) })
  }

  #accept(request: number, opened: OpenedConnection): void {
    const accepted = this.#accepted.get(request)
    this.#accepted.delete(request)
    const connection = this.#open(opened)
    if (!callHandler(() => accepted?.onConnection(connection))) connection.end()
  }

  #open(opened: OpenedConnection): ThreadedConnection {
    const connection = new ThreadedConnection(opened, {
      post: (message, transfer) => this.#post(message, transfer),
      refresh: () => this.#refresh(),
    })
    this.#connections.set(opened.id, connection)
    return connection
  }

  #end(id: number, reason: Parameters<ThreadedConnection['noteEnded']>[0]): void {
    const connection = this.#connections.get(id)
    this.#connections.delete(id)
    connection?.noteEnded(reason)
  }

  #refresh(): void {
    const nowMs = performance.now()
    if (nowMs - this.#askedMs < REFRESH_MS) return
    this.#askedMs = nowMs
    this.#post({ type: 'state' })
  }

  #noteState({ connections, ...state }: ThreadState): void {
    this.#state = state
    for (const [id, stats] of connections) this.#connections.get(id)?.noteStats(stats)
  }

  /** The thread is gone. Returns the error if it has failed. */
  #endAll(): Error | undefined {
    this.#isOver = true
    if (this.#closing === undefined) this.#failure ??= closedError()
    for (const { reject } of this.#calls.values()) reject(this.#failure ?? closedError())
    for (const { onRefused } of this.#accepted.values()) callHandler(() => onRefused?.(REJECT.closed))
    this.#accepted.clear()
    for (const id of [...this.#connections.keys()]) callHandler(() => this.#end(id, 'closed'))
    return this.#failure
  }
}

/** What the thread tells first: whether its socket is bound. */
async function firstOf(worker: Worker): Promise<FromThread> {
  const end = new AbortController()
  const { signal } = end
  try {
    const exited = once(worker, 'exit', { signal }).then(() => Promise.reject(closedError()))
    const [message] = (await Promise.race([once(worker, 'message', { signal }), exited])) as [FromThread]
    return message
  } finally {
    end.abort()
  }
}

function errorOf({ code, message, rejectCode }: PlainError): Error {
  if (ERROR_CODES.includes(code)) return new SrtError(code as SrtErrorCode, message, rejectCode)
  return Object.assign(new Error(message), { code })
}

function closedError(): SrtError {
  return new SrtError('SRT_CLOSED', 'the socket is closed')
}
